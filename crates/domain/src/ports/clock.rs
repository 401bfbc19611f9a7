//! Time as a port, so that a wait of 30 minutes is tested in milliseconds.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The only source of time.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day, for reports. May jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, for deadlines. Never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns once at least `time` has passed by [`Clock::elapsed`].
    async fn sleep(&self, time: Duration);
}
