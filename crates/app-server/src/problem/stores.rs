//! What a store could not do, as a problem of the caller or of the service.

use std::time::Duration;

use domain::jobs::{AuditError, BagStoreError, IdempotencyError, JobStoreError};

use super::Problem;
use crate::auth::SessionsError;
use crate::causes::Causes;

/// How long to wait for an archive to expire, where nobody knows better.
const ONE_MAY_EXPIRE: Duration = Duration::from_hours(1);

impl From<JobStoreError> for Problem {
    fn from(error: JobStoreError) -> Self {
        match error {
            JobStoreError::Unknown { .. } => Self::UnknownExport,
            JobStoreError::TooManyUnfinished { limit } => Self::TooManyExports { limit },
            JobStoreError::TooManyOrders { limit, wait } => Self::TooManyOrders { limit, wait },
            JobStoreError::TooManyArchives { archives } => Self::TooManyArchives {
                archives,
                wait: ONE_MAY_EXPIRE,
            },
            JobStoreError::Full { .. } | JobStoreError::Conflict { .. } => Self::Busy,
            JobStoreError::NoSpace(_) => {
                tracing::error!("there is no space left for records");
                Self::NoSpace
            }
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
            BagStoreError::NoSpace { .. } => Self::NoSpace,
            BagStoreError::Missing { .. }
            | BagStoreError::Changed { .. }
            | BagStoreError::Io { .. } => Self::Internal,
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        tracing::error!(error = %Causes(&error), "the audit trail failed");
        match error {
            AuditError::NoSpace(_) => Self::NoSpace,
            AuditError::Unavailable(_) => Self::Internal,
        }
    }
}

impl From<IdempotencyError> for Problem {
    fn from(error: IdempotencyError) -> Self {
        tracing::error!(error = %Causes(&error), "the store of idempotency keys failed");
        match error {
            IdempotencyError::NoSpace(_) => Self::NoSpace,
            IdempotencyError::Unavailable(_) => Self::Internal,
        }
    }
}
