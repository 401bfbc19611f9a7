//! What changes in a store of jobs, for whoever watches it in this process.

use domain::jobs::{Change, JobId};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that a watcher may be behind.
const CHANGES_KEPT: usize = 1024;

/// Notifies watchers of changes that are made through one store.
pub(super) struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(CHANGES_KEPT))
    }
}

impl Changes {
    pub(super) fn notify(&self, id: &JobId) {
        // Nobody may watch.
        let _ = self.0.send(Change::Job(id.clone()));
    }

    /// What changes from now on. Never ends.
    pub(super) fn watch(&self) -> BoxStream<'static, Change> {
        // With a sender of its own it never ends.
        let watched = (self.0.subscribe(), self.0.clone());
        stream::unfold(watched, |(mut receiver, sender)| async move {
            let change = match receiver.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::Resync,
                Err(RecvError::Closed) => return None,
            };
            Some((change, (receiver, sender)))
        })
        .boxed()
    }
}
