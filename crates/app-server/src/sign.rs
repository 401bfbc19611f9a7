//! Signatures under receipts.

use thiserror::Error;

/// A receipt could not be signed. A message names no secret.
#[derive(Debug, Error)]
#[error("the system gives no random numbers")]
pub(crate) struct SignError(#[source] pub(crate) std::io::Error);

/// Signs receipts with a key of the operator.
pub(crate) trait Signer: Send + Sync {
    /// The text of the signature's file. The trusted comment is signed with the document.
    fn sign(&self, document: &[u8], trusted_comment: &str) -> Result<String, SignError>;
}
