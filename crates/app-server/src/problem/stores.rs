//! What a store could not do, as a problem of the caller or of the service.

use domain::jobs::{BagStoreError, JobStoreError};

use super::Problem;
use crate::auth::SessionsError;
use crate::causes::Causes;

impl From<JobStoreError> for Problem {
    fn from(error: JobStoreError) -> Self {
        match error {
            JobStoreError::Unknown { .. } => Self::UnknownExport,
            JobStoreError::TooManyUnfinished { limit } => Self::TooManyExports { limit },
            JobStoreError::TooManyOrders { limit, wait } => Self::TooManyOrders { limit, wait },
            JobStoreError::TooManyArchives { archives } => Self::TooManyArchives { archives },
            JobStoreError::Full { .. } | JobStoreError::Conflict { .. } => Self::Busy,
            JobStoreError::Exists { .. }
            | JobStoreError::Lost { .. }
            | JobStoreError::Unavailable(_) => {
                tracing::error!(error = %Causes(&error), "the store of jobs failed");
                Self::Internal
            }
        }
    }
}

impl From<SessionsError> for Problem {
    fn from(error: SessionsError) -> Self {
        tracing::error!(error = %Causes(&error), "the sessions failed");
        Self::Internal
    }
}

impl From<BagStoreError> for Problem {
    fn from(error: BagStoreError) -> Self {
        tracing::error!(error = %Causes(&error), "the store of bags failed");
        match error {
            BagStoreError::Missing { .. }
            | BagStoreError::Changed { .. }
            | BagStoreError::NoSpace { .. }
            | BagStoreError::Io { .. } => Self::Internal,
        }
    }
}
