//! The waits that a scenario asks of the server: a slow network, a silent one.

use std::time::Duration;

/// Waits so long, or for ever. In the time of the machine, as a network does, whatever clock the platform has.
pub(super) async fn pause(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
