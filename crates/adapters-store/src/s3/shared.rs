//! What the entries of one run share, and how one of them becomes part of the bag.

use std::sync::Arc;

use adapters_archive::{ContainerForm, Durable, EncodedMember, MemberEncoder, Paths, Reservation};
use domain::model::BagPath;
use domain::ports::{NewEntry, Receipt, SinkError};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::error::upload_failed;
use super::log::RunLog;
use super::objects::{Names, ObjectPiece, Upload};
use super::record::{Body, PlacedRecord, Record};

/// See the module.
pub(super) struct Shared {
    pub(super) names: Arc<Names>,
    pub(super) log: RunLog,
    pub(super) form: ContainerForm,
    pub(super) paths: Paths,
    /// Held by every open entry, and at last by whoever finishes the bag.
    pub(super) open: Arc<RwLock<()>>,
}

impl Shared {
    pub(super) async fn entry_opened(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.open).read_owned().await
    }

    /// Ends an entry whose content has ended: after this returns it is part of the bag, for good.
    pub(super) async fn close(
        &self,
        encoder: MemberEncoder,
        mut upload: Upload,
        reservation: Reservation,
    ) -> Result<Receipt, SinkError> {
        let member = match off_the_runtime(move || encoder.finish()).await {
            Ok(member) => member,
            Err(error) => {
                upload.discard().await;
                return Err(error);
            }
        };
        let EncodedMember {
            record: entry,
            head,
            mut rest,
            tail,
        } = member;
        upload.take_parts(&mut rest).await.map_err(upload_failed)?;
        let uploaded = upload.finish(rest.into()).await.map_err(upload_failed)?;
        let (body, inline) = Body::of(uploaded);
        let receipt = entry.receipt(Durable::Yes);
        let placed = PlacedRecord {
            entry,
            head: head.len() as u64,
            body,
            tail: tail.len() as u64,
        };
        let record = Record::Placed(Box::new(placed));
        self.log
            .record_of_sink(&record, &[&head, &inline, &tail])
            .await?;
        reservation.keep();
        Ok(receipt)
    }

    /// Records how much of an entry is in objects that are whole.
    pub(super) async fn record_partial(
        &self,
        entry: &NewEntry,
        objects: &[ObjectPiece],
    ) -> Result<(), SinkError> {
        let record = Record::Partial {
            entry: Box::new(entry.clone()),
            objects: objects.to_vec(),
        };
        self.log.record_of_sink(&record, &[]).await
    }

    /// Forgets a partial entry, and deletes what there is of it.
    pub(super) async fn discard_partial(
        &self,
        path: &BagPath,
        objects: &[ObjectPiece],
    ) -> Result<(), SinkError> {
        let record = Record::PartialDiscarded { path: path.clone() };
        self.log.record_of_sink(&record, &[]).await?;
        self.names.delete(objects).await;
        Ok(())
    }
}

/// Work that takes a processor for a while.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    let done = tokio::task::spawn_blocking(work).await;
    // A check that panicked has not passed.
    done.unwrap_or(Err(SinkError::Stopped))
}
