//! The one place of this crate that waits for time to pass.
//!
//! The workflow waits for the platform, through its clock. Here, a file system that lags behind or another process is waited for:
//! neither notifies anybody. Each caller bounds the time.

use std::thread;
use std::time::Duration;

/// Blocks the thread; for a second at most, all calls of one caller together.
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}
