//! A clock that is in a hurry.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::Timestamp;

/// The system's time, run so many times faster: over real sockets a minute of patience takes a second of a test.
///
/// Timeouts inside an adapter are the system's own and are not shortened.
#[derive(Clone, Copy, Debug)]
pub struct HastyClock {
    began: Instant,
    times: u32,
}

impl HastyClock {
    /// A clock that runs so many times faster than the system's.
    pub fn running(times: u32) -> Self {
        Self {
            began: Instant::now(),
            times: times.max(1),
        }
    }
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed() * self.times
    }

    async fn sleep(&self, time: Duration) {
        // Rounded up: a sleep is never too short.
        tokio::time::sleep(time / self.times + Duration::from_nanos(1)).await;
    }
}
