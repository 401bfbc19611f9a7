//! A journal for work that leaves nothing behind.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::ports::{Fact, Journal, JournalError, Recovered};

/// Remembers as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct InMemory(Mutex<Recovered>);

#[async_trait]
impl Journal for InMemory {
    fn remembered(&self) -> Recovered {
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
