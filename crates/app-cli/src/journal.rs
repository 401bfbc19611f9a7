//! A journal for work that leaves nothing behind.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::ports::{Fact, Journal, JournalError, JournalState};

/// Remembers as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct InMemory(Mutex<JournalState>);

#[async_trait]
impl Journal for InMemory {
    fn checkpoint(&self) -> JournalState {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn record(&self, fact: Fact) -> Result<(), JournalError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(fact);
        Ok(())
    }
}
