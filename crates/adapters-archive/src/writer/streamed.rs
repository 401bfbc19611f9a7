//! An entry whose bytes arrive from the network: one thread writes and sums them up, another inflates them where they must
//! be a whole gzip stream.
//!
//! It is written in place where the container is free when its first byte comes, else into a spool file. Both queues are a few
//! pieces long: who writes waits for the disk and for the check. However the entry ends, its writer says so ([`End`]): closed,
//! discarded (also where its check has failed while bytes still arrive), or, when it is dropped, interrupted.

use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use domain::model::BagPath;
use domain::ports::{CheckFailure, EntryWriter, NewEntry, Receipt, SinkError, StoredBytes};
use tokio::sync::{mpsc, oneshot};

use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::entry_end::{Chunk, End, Receiver, Sender, Stored, channel};
use super::open_entry::{Ended, Usable, run, run_resumed};
use super::partial::PartialDownload;
use super::paths::Reservation;
use crate::pieces::Pieces;

/// Opens a streamed entry.
pub(super) fn open(
    bag: &Arc<UnfinishedBag>,
    entry: NewEntry,
    reservation: Reservation,
) -> Result<Streamed, SinkError> {
    start(
        bag,
        &entry.clone(),
        reservation,
        |bag, received, (checks, checked)| {
            // Only the entry's writer feeds the check.
            drop(checked);
            run(bag, entry, received, checks)
        },
    )
}

/// Resumes an entry of which an interrupted run has the first bytes; `None` where they cannot be used.
pub(super) async fn resume(
    bag: &Arc<UnfinishedBag>,
    download: PartialDownload,
    reservation: Reservation,
) -> Result<Option<Streamed>, SinkError> {
    let (usable, is_usable) = oneshot::channel();
    let mut streamed = start(
        bag,
        &download.entry.clone(),
        reservation,
        |bag, received, checks| run_resumed(bag, download, received, checks, usable),
    )?;
    match is_usable.await {
        Ok(Usable::Yes) => Ok(Some(streamed)),
        Ok(Usable::No) => {
            streamed.end(End::Discarded).await?;
            Ok(None)
        }
        // The thread has panicked.
        Err(_) => Err(SinkError::Stopped),
    }
}

type CheckedBeside = (Checks, Option<mpsc::Sender<Bytes>>);

/// Starts an entry's thread, which does `work`.
fn start(
    bag: &Arc<UnfinishedBag>,
    entry: &NewEntry,
    reservation: Reservation,
    work: impl FnOnce(&Arc<UnfinishedBag>, Receiver, CheckedBeside) -> Ended + Send + 'static,
) -> Result<Streamed, SinkError> {
    let (sender, received) = channel();
    let (report, outcome) = oneshot::channel();
    let path = entry.path.clone();
    let open = bag.slot.entry_opened();
    let in_thread = Arc::clone(bag);
    let checked = bag.health.or_fail("check", &bag.path, || {
        let (checks, checked) = Checks::beside(entry)?;
        let beside = (checks, checked.clone());
        thread::Builder::new()
            .name("archive entry".to_owned())
            .spawn(move || {
                // The run may have been dropped.
                let _ = report.send(work(&in_thread, received, beside));
                in_thread.place_waiting_or_fail();
                drop(open);
            })?;
        Ok(checked)
    })?;
    Ok(Streamed {
        queues: Some(Queues {
            sender,
            checked,
            pieces: bag.pieces.clone(),
        }),
        outcome: Some(outcome),
        reservation: Some(reservation),
        failure: None,
        path,
    })
}

/// The open entry as its writer holds it.
pub(super) struct Streamed {
    /// `None` once it was said how the entry ends.
    queues: Option<Queues>,
    outcome: Option<oneshot::Receiver<Ended>>,
    reservation: Option<Reservation>,
    failure: Option<CheckFailure>,
    path: BagPath,
}

struct Queues {
    sender: Sender,
    checked: Option<mpsc::Sender<Bytes>>,
    pieces: Pieces,
}

impl Queues {
    /// Sends a chunk in pieces. Both queues get one or none: a piece that only one of them got would be a hole that the check does not
    /// see.
    async fn send(&self, mut chunk: Bytes) -> Option<()> {
        while !chunk.is_empty() {
            let checked = match &self.checked {
                Some(checked) => Some(checked.reserve().await.ok()?),
                None => None,
            };
            let to_thread = self.sender.reserve().await?;
            let piece = self.pieces.filled_from(&mut chunk);
            if let Some(checked) = checked {
                checked.send(piece.clone());
            }
            to_thread.send(Chunk::Bytes(piece));
        }
        Some(())
    }

    /// Lets the thread copy bytes; how many it took.
    async fn copy(&self, from: &StoredBytes) -> Option<u64> {
        let (taken, answer) = oneshot::channel();
        let to_thread = self.sender.reserve().await?;
        to_thread.send(Chunk::Stored(Stored {
            from: from.clone(),
            checked: self.checked.clone(),
            taken,
        }));
        answer.await.ok()
    }

    fn end(self, end: End) {
        // The check first: it must see the end of its bytes before the entry's thread asks for its result.
        drop(self.checked);
        self.sender.end(end);
    }
}

impl Streamed {
    /// Says how the entry ends, and waits for its thread's outcome. An entry that has ended before keeps its outcome.
    async fn end(&mut self, end: End) -> Ended {
        if let Some(queues) = self.queues.take() {
            queues.end(end);
        }
        let ended = match self.outcome.take() {
            Some(outcome) => outcome.await.unwrap_or(Err(SinkError::Stopped)),
            None => Err(self.error_before()),
        };
        if let Err(SinkError::CheckFailed { failure, .. }) = &ended {
            self.failure = Some(failure.clone());
        }
        ended
    }

    /// Why a chunk was not taken: the check has failed, or the entry's thread has ended. Nothing more of the entry is wanted.
    async fn refused(&mut self) -> SinkError {
        match self.end(End::Discarded).await {
            Err(error) => error,
            Ok(_) => SinkError::Stopped,
        }
    }

    /// The error that an earlier call returned.
    fn error_before(&self) -> SinkError {
        match &self.failure {
            Some(failure) => SinkError::CheckFailed {
                path: self.path.clone(),
                failure: failure.clone(),
            },
            None => SinkError::Stopped,
        }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        if let Some(queues) = self.queues.take() {
            queues.end(End::Interrupted);
        }
    }
}

#[async_trait]
impl EntryWriter for Streamed {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        let Some(queues) = &self.queues else {
            return Err(self.error_before());
        };
        match queues.send(chunk).await {
            Some(()) => Ok(()),
            None => Err(self.refused().await),
        }
    }

    async fn copy(&mut self, from: &StoredBytes) -> Result<u64, SinkError> {
        let Some(queues) = &self.queues else {
            return Err(self.error_before());
        };
        match queues.copy(from).await {
            Some(taken) => Ok(taken),
            None => Err(self.refused().await),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<Receipt, SinkError> {
        match self.reservation.take() {
            Some(reservation) => self.end(End::Closed(reservation)).await?,
            None => return Err(self.error_before()),
        }
        .ok_or(SinkError::Stopped)
    }

    async fn discard(mut self: Box<Self>) -> Result<(), SinkError> {
        if self.outcome.is_none() {
            return Ok(());
        }
        match self.end(End::Discarded).await {
            Ok(_) | Err(SinkError::CheckFailed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
