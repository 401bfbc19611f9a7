//! What an error of the object store, or of the records, means to each port.

use std::sync::Arc;

use domain::jobs::{BagStoreError, JobId, RunRecordsError, RunStoreError};
use domain::ports::{JournalError, SinkError};

/// An upload that failed. What it was is gone; the object is never read.
pub(super) fn upload_failed(error: object_store::Error) -> SinkError {
    SinkError::Unavailable(Box::new(error))
}

/// A record that the sink could not write.
pub(super) fn not_recorded(error: Arc<RunRecordsError>) -> SinkError {
    match &*error {
        RunRecordsError::Lost { .. } => SinkError::Lost,
        RunRecordsError::NoSpace(_) | RunRecordsError::Unavailable(_) => {
            SinkError::Unavailable(Box::new(error))
        }
    }
}

/// A record that the journal could not write.
pub(super) fn not_in_journal(error: Arc<RunRecordsError>) -> JournalError {
    match &*error {
        RunRecordsError::Lost { .. } => JournalError::Lost,
        RunRecordsError::NoSpace(_) | RunRecordsError::Unavailable(_) => {
            JournalError::Unavailable(Box::new(error))
        }
    }
}

/// A run that could not be opened because of its records.
pub(super) fn not_opened(id: &JobId, error: RunRecordsError) -> RunStoreError {
    match error {
        RunRecordsError::Lost { id } => RunStoreError::Lost { id },
        RunRecordsError::NoSpace(_) => RunStoreError::NoSpace { id: id.clone() },
        error @ RunRecordsError::Unavailable(_) => RunStoreError::Unavailable(Box::new(error)),
    }
}

/// A bag that could not be used because of its records.
pub(super) fn not_read(id: &JobId, error: RunRecordsError) -> BagStoreError {
    match error {
        RunRecordsError::NoSpace(_) => BagStoreError::NoSpace { id: id.clone() },
        error => io(id, "use the records of", error),
    }
}

/// A bag that could not be used because of its objects.
pub(super) fn of_objects(
    id: &JobId,
    action: &'static str,
    error: object_store::Error,
) -> BagStoreError {
    io(id, action, error)
}

fn io(
    id: &JobId,
    action: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> BagStoreError {
    BagStoreError::Io {
        action,
        path: format!("jobs/{id}").into(),
        source: std::io::Error::other(error),
    }
}
