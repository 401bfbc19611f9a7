//! The one place of this crate that waits for time to pass.
//!
//! The workflow waits for the platform, through its clock. Here it is only a file system that catches up with this machine or
//! another process: there is nothing to be notified by, each caller bounds the time, and no call of the port waits longer than that.

use std::thread;
use std::time::Duration;

/// Blocks the thread; for a second at most, all calls of one caller together.
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}
