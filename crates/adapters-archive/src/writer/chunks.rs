//! The content of an entry that is gathered in memory.

use bytes::Bytes;
use domain::ports::{CheckFailure, NewEntry, SinkError};

/// What has come of an entry, never more than its known size.
#[derive(Default)]
pub struct Chunks {
    all: Vec<Bytes>,
    bytes: u64,
}

impl Chunks {
    /// Adds what has come next. With more than the known size of the entry the check has failed, and nothing is kept.
    pub fn add(&mut self, entry: &NewEntry, chunk: Bytes) -> Result<(), SinkError> {
        self.bytes += chunk.len() as u64;
        if let Some(expected) = entry.size.filter(|&size| self.bytes > size) {
            self.all.clear();
            return Err(SinkError::CheckFailed {
                path: entry.path.clone(),
                failure: CheckFailure::Size {
                    received: self.bytes,
                    expected,
                },
            });
        }
        self.all.push(chunk);
        Ok(())
    }

    /// All of it, in order.
    pub fn as_slice(&self) -> &[Bytes] {
        &self.all
    }
}
