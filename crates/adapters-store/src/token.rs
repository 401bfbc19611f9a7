//! Tokens of leases.

use domain::jobs::{JobStoreError, Token};

/// A token that nobody has had before.
pub(crate) fn new_token() -> Result<Token, JobStoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| JobStoreError::Unavailable(Box::new(error)))?;
    Ok(Token::of(random))
}
