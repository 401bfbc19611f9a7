//! Idempotency keys: a caller that repeats an order with the same key gets the same export, not another one.

use std::error::Error as StdError;

use async_trait::async_trait;
use thiserror::Error;

use super::JobId;
use crate::model::{Sha256, UserId};

/// A key that a caller chose (`Idempotency-Key`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The text cannot be a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "an idempotency key has 1 to {} printable ASCII characters",
    IdempotencyKey::BYTES
)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Longest key, in bytes.
    pub const BYTES: usize = 255;

    /// Reads a key as it stands in the header.
    pub fn parse(text: &str) -> Result<Self, IdempotencyKeyError> {
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.is_empty() || text.len() > Self::BYTES || !printable {
            return Err(IdempotencyKeyError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It is new: it now stands for the export that was named.
    New,
    /// It stands for this export, which was asked for with the same order. The export may not exist: then whoever
    /// reserved it did not come to create it.
    Same(JobId),
    /// It stands for an export that was asked for with another order.
    OtherOrder,
}

/// Keys cannot be kept.
#[derive(Debug, Error)]
pub enum IdempotencyError {
    /// There is no space left for them: later there may be.
    #[error("there is no space left for idempotency keys")]
    NoSpace(#[source] Box<dyn StdError + Send + Sync>),
    /// The store cannot be reached or does not work.
    #[error("idempotency keys cannot be kept")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Keeps idempotency keys, each for a day after it was reserved.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait IdempotencyKeys: Send + Sync {
    /// Reserves a key of this caller for an export. Two at the same time: one gets [`Reservation::New`].
    async fn reserve(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, IdempotencyError>;

    /// Gives a key back whose export was refused.
    async fn release(&self, owner: &UserId, key: &IdempotencyKey) -> Result<(), IdempotencyError>;

    /// Forgets keys that are older than a day. Gives how many.
    async fn expire(&self) -> Result<u64, IdempotencyError>;
}
