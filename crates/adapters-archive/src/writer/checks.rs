//! What is checked of an entry while its bytes pass. Inflating, the slowest step of a download, has a thread of its
//! own.

use std::io;
use std::thread::JoinHandle;

use bytes::Bytes;
use domain::bag::{ContentCheck, PublishedCheck};
use domain::model::Sha256;
use domain::ports::{CheckFailure, NewEntry};
use tokio::sync::mpsc;

use super::entry_end::QUEUE_CHUNKS;
use crate::beside::beside;

/// The checks of one entry.
pub(crate) struct Checks {
    content: ContentChecked,
    /// Where the size was said to be known, it must be that.
    size: PublishedCheck,
}

enum ContentChecked {
    Here(ContentCheck),
    InThread(JoinHandle<Result<ContentCheck, CheckFailure>>),
}

impl Checks {
    /// All checks in the thread that asks.
    pub(crate) fn here(entry: &NewEntry) -> Self {
        Self {
            content: ContentChecked::Here(ContentCheck::of(&entry.check)),
            size: PublishedCheck::new(entry.size, None),
        }
    }

    /// Inflating, where the entry needs it, in a thread that takes its bytes from the queue that is returned.
    pub(super) fn beside(entry: &NewEntry) -> io::Result<(Self, Option<mpsc::Sender<Bytes>>)> {
        if !entry.check.inflates() {
            return Ok((Self::here(entry), None));
        }
        let (sender, mut chunks) = mpsc::channel::<Bytes>(QUEUE_CHUNKS);
        let thread = beside(
            "archive check",
            std::iter::from_fn(move || chunks.blocking_recv()),
            ContentCheck::of(&entry.check),
            ContentCheck::update,
        )?;
        let checks = Self {
            content: ContentChecked::InThread(thread),
            size: PublishedCheck::new(entry.size, None),
        };
        Ok((checks, Some(sender)))
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) -> Result<(), CheckFailure> {
        self.size.update(chunk)?;
        match &mut self.content {
            ContentChecked::Here(check) => check.update(chunk),
            ContentChecked::InThread(_) => Ok(()),
        }
    }

    /// Judges the whole; a thread's queue must have been closed before.
    pub(crate) fn finish(self, sha256: &Sha256) -> Result<(), CheckFailure> {
        self.content.so_far()?.finish(sha256)?;
        self.size.finish(sha256)
    }

    /// What was wrong already when bytes stopped coming.
    pub(super) fn failure(self) -> Option<CheckFailure> {
        self.content.so_far().err()
    }
}

impl ContentChecked {
    fn so_far(self) -> Result<ContentCheck, CheckFailure> {
        match self {
            Self::Here(check) => Ok(check),
            // A check that panicked has not passed.
            Self::InThread(thread) => thread.join().unwrap_or(Err(CheckFailure::Damaged)),
        }
    }
}
