//! The reader of a run's journal, without a run: for tests that feed it with anything.

use std::io::{self, Write as _};

use domain::ports::{JournalState, Receipt};

use crate::journal;

/// What a journal says.
#[derive(Debug, PartialEq, Eq)]
pub struct JournalRead {
    /// Lines that are sound and follow each other from the first on.
    pub lines: u64,
    /// Where they end.
    pub end: u64,
    /// Whether what follows is more than a write that was cut short.
    pub is_damaged: bool,
    /// Entries that are safe.
    pub receipts: Vec<Receipt>,
    /// The domain's facts.
    pub checkpoint: JournalState,
}

/// Reads a journal of these bytes.
pub fn read_journal(bytes: &[u8]) -> io::Result<JournalRead> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    let found = journal::read_checkpoint(&mut file)?;
    Ok(JournalRead {
        lines: found.lines,
        end: found.lines_end,
        is_damaged: found.damage.is_some(),
        receipts: found.receipts(),
        checkpoint: found.facts,
    })
}
