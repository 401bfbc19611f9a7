//! Until when a lease may be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A moment on the clock that only goes forward, which is put off when the lease is renewed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadline(Arc<AtomicU64>);

impl Deadline {
    pub(crate) fn at(moment: Duration) -> Self {
        let deadline = Self::default();
        deadline.put_off(moment);
        deadline
    }

    /// It is at this moment from now on.
    pub(crate) fn put_off(&self, moment: Duration) {
        let nanoseconds = u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanoseconds, Ordering::SeqCst);
    }

    pub(crate) fn is_past(&self, now: Duration) -> bool {
        Duration::from_nanos(self.0.load(Ordering::SeqCst)) <= now
    }
}
