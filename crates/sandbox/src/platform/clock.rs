//! The platform's time.

use std::time::Duration;

use jiff::Timestamp;

/// Where the platform takes its time from: `now` for what documents say, `elapsed` for how far an export has come.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Monotonic time since the platform came to life.
    fn elapsed(&self) -> Duration;
}

/// The machine's time; where the runtime's time is paused, `elapsed` is too.
pub(crate) struct SystemClock {
    started: tokio::time::Instant,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self {
            started: tokio::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
