//! Locks of the doubles.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locked, also after a test that panicked with it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
