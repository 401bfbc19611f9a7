//! Who watches the store of jobs in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::lock::locked;
use crate::jobs::{Change, JobId};

const UNREAD_CHANGES: usize = 256;

/// A watcher's changes that it has not read yet.
#[derive(Default)]
struct Watcher {
    changes: VecDeque<Change>,
    waker: Option<Waker>,
}

/// All that watch.
#[derive(Default)]
pub(super) struct Watchers(Vec<Arc<Mutex<Watcher>>>);

impl Watchers {
    pub(super) fn notify(&mut self, id: &JobId) {
        // Whose stream was dropped does not watch any more.
        self.0.retain(|watcher| Arc::strong_count(watcher) > 1);
        for watcher in &self.0 {
            let mut watcher = locked(watcher);
            if watcher.changes.len() >= UNREAD_CHANGES {
                watcher.changes.clear();
                watcher.changes.push_back(Change::Resync);
            } else {
                watcher.changes.push_back(Change::Job(id.clone()));
            }
            if let Some(waker) = watcher.waker.take() {
                waker.wake();
            }
        }
    }

    /// What changes from now on. Never ends.
    pub(super) fn watch(&mut self) -> BoxStream<'static, Change> {
        let watcher = Arc::<Mutex<Watcher>>::default();
        self.0.push(Arc::clone(&watcher));
        stream::poll_fn(move |context| {
            let mut watcher = locked(&watcher);
            if let Some(change) = watcher.changes.pop_front() {
                return Poll::Ready(Some(change));
            }
            watcher.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .boxed()
    }
}
