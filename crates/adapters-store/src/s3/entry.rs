//! An entry whose bytes arrive from the network: a task encodes, checks and uploads them. Who writes waits for all three.
//!
//! However the entry ends, its writer says so ([`End`]): closed, discarded, or, when it is dropped, interrupted.

use std::sync::Arc;

use adapters_archive::{MemberEncoder, Reservation};
use async_trait::async_trait;
use bytes::Bytes;
use domain::model::BagPath;
use domain::ports::{CheckFailure, EntryWriter, Receipt, SinkError};
use tokio::sync::{OwnedRwLockReadGuard, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::error::upload_failed;
use super::objects::{Upload, Uploaded};
use super::shared::Shared;

/// Chunks in flight. A chunk from the network has up to 400 KB.
const QUEUE_CHUNKS: usize = 4;

/// How an entry ends. Where nothing is said, it is interrupted.
enum End {
    /// It is whole, as far as its writer knows.
    Closed(Reservation),
    /// Nobody wants it any more.
    Discarded,
}

type Ended = Result<Option<Receipt>, SinkError>;

/// What an entry's task works with.
struct Work {
    shared: Arc<Shared>,
    encoder: MemberEncoder,
    upload: Upload,
    /// Whether a record says that there is a part of it.
    is_recorded: bool,
    _open: OwnedRwLockReadGuard<()>,
}

/// Opens an entry; `encoder` and `upload` may have the beginning of it already.
pub(super) fn open(
    shared: &Arc<Shared>,
    (encoder, upload): (MemberEncoder, Upload),
    reservation: Reservation,
    open: OwnedRwLockReadGuard<()>,
) -> EntryUpload {
    let (chunks, received) = mpsc::channel(QUEUE_CHUNKS);
    let (end, ended) = oneshot::channel();
    let path = encoder.entry().path.clone();
    let work = Work {
        shared: Arc::clone(shared),
        is_recorded: !upload.done().is_empty(),
        encoder,
        upload,
        _open: open,
    };
    EntryUpload {
        queues: Some((chunks, end)),
        outcome: Some(tokio::spawn(work.run(received, ended))),
        reservation: Some(reservation),
        failure: None,
        path,
    }
}

impl Work {
    async fn run(
        mut self,
        mut chunks: mpsc::Receiver<Bytes>,
        end: oneshot::Receiver<End>,
    ) -> Ended {
        let mut received = Vec::with_capacity(QUEUE_CHUNKS);
        while chunks.recv_many(&mut received, QUEUE_CHUNKS).await > 0 {
            let chunks = std::mem::take(&mut received);
            self = self.take(chunks).await?;
        }
        match end.await {
            Ok(End::Closed(reservation)) => {
                let closed = self
                    .shared
                    .close(self.encoder, self.upload, reservation)
                    .await;
                closed.map(Some)
            }
            Ok(End::Discarded) => self.discard().await.map(|()| None),
            Err(_) => self.interrupted().await.map(|()| None),
        }
    }

    async fn take(mut self, chunks: Vec<Bytes>) -> Result<Self, SinkError> {
        let encoding = tokio::task::spawn_blocking(move || {
            let encoder = &mut self.encoder;
            let written = chunks.iter().try_for_each(|chunk| encoder.write(chunk));
            (self, written)
        });
        // What panicked has not passed.
        let (mut work, written) = encoding.await.map_err(|_| SinkError::Stopped)?;
        if let Err(error) = written {
            work.discard().await?;
            return Err(error);
        }
        let taken = work.upload.take_parts(work.encoder.body()).await;
        let has_new_object = taken.map_err(upload_failed)?;
        let entry = work.encoder.entry();
        if has_new_object && entry.validator.is_some() {
            let done = work.upload.done();
            work.shared.record_partial(entry, done).await?;
            work.is_recorded = true;
        }
        Ok(work)
    }

    async fn discard(self) -> Result<(), SinkError> {
        if self.is_recorded {
            let path = &self.encoder.entry().path;
            self.shared.discard_partial(path, &[]).await?;
        }
        self.upload.discard().await;
        Ok(())
    }

    /// The next run can resume an entry with a validator: as much of it as is whole, which includes all that was written where the
    /// process lives on for a moment.
    async fn interrupted(mut self) -> Result<(), SinkError> {
        if self.encoder.entry().validator.is_none() {
            return self.discard().await;
        }
        let rest = std::mem::take(self.encoder.body());
        let uploaded = self.upload.finish(rest.into()).await;
        if let Uploaded::Objects(objects) = uploaded.map_err(upload_failed)? {
            self.shared
                .record_partial(self.encoder.entry(), &objects)
                .await?;
        }
        Ok(())
    }
}

/// The open entry as its writer holds it.
pub(super) struct EntryUpload {
    /// `None` once it was said how the entry ends.
    queues: Option<(mpsc::Sender<Bytes>, oneshot::Sender<End>)>,
    outcome: Option<JoinHandle<Ended>>,
    reservation: Option<Reservation>,
    failure: Option<CheckFailure>,
    path: BagPath,
}

impl EntryUpload {
    /// Says how the entry ends, and waits for the outcome. An entry that has ended before keeps its outcome.
    async fn end(&mut self, end: End) -> Ended {
        if let Some((chunks, says)) = self.queues.take() {
            // A task that has ended says why in its outcome.
            let _ = says.send(end);
            drop(chunks);
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

#[async_trait]
impl EntryWriter for EntryUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), SinkError> {
        let Some((chunks, _)) = &self.queues else {
            return Err(self.error_before());
        };
        if chunk.is_empty() || chunks.send(chunk).await.is_ok() {
            return Ok(());
        }
        // The check or the upload has failed: nothing more of it is wanted.
        match self.end(End::Discarded).await {
            Err(error) => Err(error),
            Ok(_) => Err(SinkError::Stopped),
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
