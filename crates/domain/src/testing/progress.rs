//! Progress that records.

use std::sync::{Mutex, PoisonError};

use crate::ports::{Event, Progress};

/// Records every event.
#[derive(Debug, Default)]
pub struct RecordingProgress(Mutex<Vec<Event>>);

impl RecordingProgress {
    /// What was heard, in order.
    pub fn events(&self) -> Vec<Event> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Progress for RecordingProgress {
    fn on(&self, event: &Event) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
    }
}
