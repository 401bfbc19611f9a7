//! An entry whose bytes arrive from the network: one thread writes and sums them up, another inflates them where they must
//! be a whole gzip stream.
//!
//! It is written in place where the container is free when its first byte comes, else into a file beside it. Both queues are
//! a few chunks long: who writes waits for the disk and for the check. An entry ends with a message: it is closed, or it is
//! discarded, also where its check has failed while bytes still arrive. Only a writer that was dropped closes the queue
//! of bytes without such a message: the run was interrupted.

use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use domain::model::BagPath;
use domain::ports::{CheckFailure, EntryWriter, NewEntry, Receipt, SinkError};
use tokio::sync::{mpsc, oneshot};

use super::QUEUE_CHUNKS;
use super::bag::UnfinishedBag;
use super::checks::Checks;
use super::claim::Reservation;
use super::open_entry::{Left, run, run_behind};

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
            // The check hears that there is no more when the entry's writer says so.
            drop(checked);
            run(bag, entry, received, checks)
        },
    )
}

/// Goes on with an entry that an interrupted run left; `None` where that is of no use.
pub(super) async fn go_on(
    bag: &Arc<UnfinishedBag>,
    left: Left,
    reservation: Reservation,
) -> Result<Option<Streamed>, SinkError> {
    let (ready, is_ready) = oneshot::channel();
    let mut streamed = start(
        bag,
        &left.entry.clone(),
        reservation,
        |bag, received, checks| run_behind(bag, left, received, checks, ready),
    )?;
    if is_ready.await.is_ok() {
        return Ok(Some(streamed));
    }
    streamed.end(Message::Discard).await?;
    Ok(None)
}

type CheckedBeside = (Checks, Option<mpsc::Sender<Bytes>>);

/// Starts an entry's thread.
fn start(
    bag: &Arc<UnfinishedBag>,
    entry: &NewEntry,
    reservation: Reservation,
    life: impl FnOnce(&Arc<UnfinishedBag>, mpsc::Receiver<Message>, CheckedBeside) -> Ended
    + Send
    + 'static,
) -> Result<Streamed, SinkError> {
    let (messages, received) = mpsc::channel(QUEUE_CHUNKS);
    let (tell, outcome) = oneshot::channel();
    let path = entry.path.clone();
    let running = Running::begin(bag);
    let checked = bag.or_break("check", &bag.path, || {
        let (checks, checked) = Checks::beside(entry)?;
        let beside = (checks, checked.clone());
        thread::Builder::new()
            .name("archive entry".to_owned())
            .spawn(move || {
                let ended = life(&running.0, received, beside);
                let _ = tell.send(ended);
                running.see_to_what_waits();
            })?;
        Ok(checked)
    })?;
    Ok(Streamed {
        queues: Some(Queues { messages, checked }),
        outcome: Some(outcome),
        reservation: Some(reservation),
        failure: None,
        path,
    })
}

/// The open entry as its writer holds it.
pub(super) struct Streamed {
    queues: Option<Queues>,
    outcome: Option<oneshot::Receiver<Ended>>,
    reservation: Option<Reservation>,
    failure: Option<CheckFailure>,
    path: BagPath,
}

struct Queues {
    messages: mpsc::Sender<Message>,
    checked: Option<mpsc::Sender<Bytes>>,
}

/// What an entry's thread is sent.
pub(super) enum Message {
    /// The next bytes.
    Chunk(Bytes),
    /// There are no more: the entry is whole, as far as its writer knows.
    Close(Reservation),
    /// Nobody wants it any more.
    Discard,
}

/// How an entry's thread ended; `None` where the entry was discarded.
pub(super) type Ended = Result<Option<Receipt>, SinkError>;

impl Queues {
    /// Both or none: a chunk that only one of them got would be a hole that the check does not see.
    async fn send(&self, chunk: Bytes) -> Option<()> {
        let checked = match &self.checked {
            Some(checked) => Some(checked.reserve().await.ok()?),
            None => None,
        };
        let message = self.messages.reserve().await.ok()?;
        if let Some(checked) = checked {
            checked.send(chunk.clone());
        }
        message.send(Message::Chunk(chunk));
        Some(())
    }
}

impl Streamed {
    /// Ends the entry with this message, and waits for how its thread ended. The outcome of an entry that ended before stays.
    async fn end(&mut self, last: Message) -> Ended {
        if let Some(queues) = self.queues.take() {
            // The check must know that there is no more before the entry's thread asks for its result.
            drop(queues.checked);
            // A thread that has stopped says why in its outcome.
            let _ = queues.messages.send(last).await;
        }
        let ended = match self.outcome.take() {
            Some(outcome) => outcome.await.unwrap_or(Err(SinkError::Stopped)),
            None => Err(self.told_before()),
        };
        if let Err(SinkError::CheckFailed { failure, .. }) = &ended {
            self.failure = Some(failure.clone());
        }
        ended
    }

    fn told_before(&self) -> SinkError {
        match &self.failure {
            Some(failure) => SinkError::CheckFailed {
                path: self.path.clone(),
                failure: failure.clone(),
            },
            None => SinkError::Stopped,
        }
    }
}

#[async_trait]
impl EntryWriter for Streamed {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        let Some(queues) = &self.queues else {
            return Err(self.told_before());
        };
        if chunk.is_empty() || queues.send(chunk).await.is_some() {
            return Ok(());
        }
        // The check has failed, or the entry's thread has ended: nothing more of it is wanted.
        match self.end(Message::Discard).await {
            Err(error) => Err(error),
            Ok(_) => Err(SinkError::Stopped),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<Receipt, SinkError> {
        match self.reservation.take() {
            Some(reservation) => self.end(Message::Close(reservation)).await?,
            None => return Err(self.told_before()),
        }
        .ok_or(SinkError::Stopped)
    }

    async fn discard(mut self: Box<Self>) -> Result<(), SinkError> {
        if self.outcome.is_none() {
            return Ok(());
        }
        match self.end(Message::Discard).await {
            Ok(_) | Err(SinkError::CheckFailed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Counts the threads of open entries.
struct Running(Arc<UnfinishedBag>);

impl Running {
    fn begin(bag: &Arc<UnfinishedBag>) -> Self {
        bag.lock().threads += 1;
        Self(Arc::clone(bag))
    }

    /// Nobody listens any more: an error is told to whoever comes next.
    fn see_to_what_waits(self) {
        if let Err(error) = self.0.drain() {
            self.0.break_down(&error);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
        self.0.changed.notify_all();
    }
}
