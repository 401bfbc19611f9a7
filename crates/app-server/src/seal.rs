//! Credentials of jobs that run unattended, sealed before they are kept.

use bytes::Bytes;
use domain::jobs::JobId;
use domain::model::UserId;
use thiserror::Error;

use crate::backend::Credentials;

/// Sealed credentials cannot be made or used. A message names no secret.
#[derive(Debug, Error)]
pub(crate) enum SealError {
    /// They were sealed for another key, or damaged.
    #[error("the sealed credentials cannot be opened with this key")]
    Unreadable,
    /// They belong to another job or another person.
    #[error("the sealed credentials are another job's")]
    OfAnother,
    /// Sealing failed.
    #[error("credentials could not be sealed")]
    NotSealed,
}

/// Seals credentials, and opens the seals.
pub(crate) trait Seal: Send + Sync {
    /// Seals what the owner of a job signed in with, for this job only.
    fn seal(
        &self,
        job: &JobId,
        owner: &UserId,
        credentials: &Credentials,
    ) -> Result<Bytes, SealError>;

    /// Opens what was sealed for this job and this owner.
    fn open(&self, job: &JobId, owner: &UserId, sealed: &[u8]) -> Result<Credentials, SealError>;
}
