//! Requests a second to the platform, over all workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// This process's part of the requests a second that the platform's operator allows: as much as of every other worker.
pub(crate) struct RequestRate {
    per_second: u32,
    workers: AtomicU64,
    next: Mutex<Instant>,
}

impl RequestRate {
    /// So many requests a second, which this process has for itself until it knows of others.
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second: per_second.max(1),
            workers: AtomicU64::new(1),
            next: Mutex::new(Instant::now()),
        }
    }

    /// So many workers share it from now on.
    pub(crate) fn share(&self, workers: u64) {
        self.workers.store(workers.max(1), Ordering::Relaxed);
    }

    /// Returns when the next request may be sent. Whoever asked first is first.
    pub(crate) async fn turn(&self) {
        let workers = u32::try_from(self.workers.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let pause = Duration::from_secs(1) * workers / self.per_second;
        let at = {
            let mut next = self.next.lock().await;
            let at = (*next).max(Instant::now());
            *next = at + pause;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_no_more_than_this_worker_s_part() {
        let rate = RequestRate::new(1_000);
        rate.share(2);
        let began = Instant::now();
        for _ in 0..51 {
            rate.turn().await;
        }
        assert!(began.elapsed() >= Duration::from_millis(100));
    }
}
