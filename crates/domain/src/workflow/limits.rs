//! The numbers that bound a run. Those that the contract names are constants here.

use std::time::Duration;

/// Limits of a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// Exports asked for on the server at the same time (`--jobs`).
    pub const JOBS: usize = 4;
    /// Downloads at the same time (`--downloads`).
    pub const DOWNLOADS: usize = 2;
    /// How long one export may go without progress (`--max-wait`).
    pub const MAX_WAIT: Duration = Duration::from_secs(30 * 60);
    /// No byte received for this long fails a request (`--timeout`).
    pub const SILENCE: Duration = Duration::from_secs(120);
    /// Largest document that is accepted, in bytes.
    pub const DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;
    /// Documents and small files fetched at the same time.
    pub(crate) const DOCUMENTS_AT_ONCE: usize = 6;
    /// Attempts at one request before it counts as failed.
    pub(crate) const ATTEMPTS: u32 = 5;
    /// Attempts of all kinds that one item may use up.
    pub(crate) const ITEM_ATTEMPTS: u32 = 12;
    /// Objects of one list that are read before it counts as endless.
    pub(crate) const LIST_OBJECTS: usize = 200_000;
}
