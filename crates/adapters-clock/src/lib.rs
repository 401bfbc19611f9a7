//! The clock port over the system's time and Tokio's timer.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::Timestamp;

/// The machine's own time. Needs a Tokio runtime with its timer on.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// A clock whose elapsed time starts now.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
