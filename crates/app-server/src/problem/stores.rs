//! What a store could not do, as a problem of the caller or of the service.

use domain::jobs::{BagStoreError, JobStoreError};

use super::Problem;
use crate::causes::Causes;

impl From<JobStoreError> for Problem {
    fn from(error: JobStoreError) -> Self {
        match error {
            JobStoreError::Unknown { .. } => Self::UnknownExport,
            JobStoreError::Full { .. } | JobStoreError::Conflict { .. } => Self::Busy,
            JobStoreError::Exists { .. } | JobStoreError::Unavailable(_) => {
                tracing::error!(error = %Causes(&error), "the store of jobs failed");
                Self::Internal
            }
        }
    }
}

impl From<BagStoreError> for Problem {
    fn from(error: BagStoreError) -> Self {
        tracing::error!(error = %Causes(&error), "the store of bags failed");
        match error {
            BagStoreError::Missing { .. }
            | BagStoreError::Changed { .. }
            | BagStoreError::Io { .. } => Self::Internal,
        }
    }
}
