//! Credentials of jobs that run unattended, sealed by the service before they come here.

use std::error::Error as StdError;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::JobId;

/// Sealed credentials cannot be kept, read or deleted.
#[derive(Debug, Error)]
#[error("sealed credentials cannot be kept")]
pub struct SealedCredentialsError(#[source] pub Box<dyn StdError + Send + Sync>);

/// Keeps sealed credentials, one of each job. What is inside is no matter of the store: it has no key.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SealedCredentials: Send + Sync {
    /// Keeps a job's credentials, in place of those that were kept before.
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError>;

    /// A job's credentials, where some are kept.
    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError>;

    /// Deletes a job's credentials. After this returns their bytes are in no file of the store. None there is success.
    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError>;

    /// Every job whose credentials are kept.
    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError>;
}
