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
    pub const MAX_WAIT: Duration = Duration::from_mins(30);
    /// No byte received for this long fails a request (`--timeout`).
    pub const SILENCE: Duration = Duration::from_mins(2);
    /// Largest document that is accepted, in bytes.
    pub const DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;
    /// Documents and small files fetched at the same time.
    pub(crate) const DOCUMENTS_AT_ONCE: usize = 6;
    /// Attempts at reaching a platform that was never reached.
    pub(crate) const FIRST_CONTACTS: u32 = 3;
    /// Attempts at a request that the server answers wrongly.
    pub(crate) const ATTEMPTS: u32 = 5;
    /// Attempts at a request that meets a bad network or an overloaded server.
    pub(crate) const PATIENT_ATTEMPTS: u32 = 8;
    /// Failed attempts of all kinds that one item may use up.
    pub(crate) const ITEM_ATTEMPTS: u32 = 16;
    /// Shortest pause, times the attempts so far, before a ticket that was `complete` too early is looked at again.
    pub(crate) const EARLY_PAUSE: Duration = Duration::from_millis(250);
    /// Damaged downloads of one ticket before a new export is asked for.
    pub(crate) const DAMAGED_DOWNLOADS: u32 = 3;
    /// Starts of one item whose answers may be lost where no list shows their tickets.
    pub(crate) const UNANSWERED_STARTS: u32 = 3;
    /// New exports of one item after its first.
    pub(crate) const RENEWALS: u32 = 2;
    /// Longest pause between two looks at a ticket, and the shortest at one that has been waited for for [`Self::LONG_JOB`].
    pub(crate) const POLL_PAUSE: Duration = Duration::from_secs(5);
    /// A ticket that is as old as this runs for minutes.
    pub(crate) const LONG_JOB: Duration = Duration::from_mins(1);
    /// Between two requests for statuses, whichever tickets they are of; for every further request that went with the last, more.
    pub(crate) const POLL_GAP: Duration = Duration::from_millis(500);
    /// The same for each further request.
    pub(crate) const POLL_GAP_EACH: Duration = Duration::from_millis(100);
    /// The same where tickets are young or their end is expected.
    pub(crate) const POLL_GAP_PROMPT: Duration = Duration::from_millis(5);
    /// Pause before a start that may not be sent yet is asked for again.
    pub(crate) const SLOT_PAUSE: Duration = Duration::from_millis(500);
    /// Imports at the same time on the platform (`--jobs` of `import`).
    pub const IMPORT_JOBS: usize = 2;
    /// How long an upload whose answer was lost may show no sign of being worked on, before it counts as not arrived.
    pub(crate) const UNSURE_UPLOAD: Duration = Duration::from_secs(10);
    /// Tickets asked for in one request.
    pub(crate) const STATUSES_AT_ONCE: usize = 64;
    /// Bytes of the address of such a request: servers that take no longer ones take these.
    pub(crate) const STATUSES_ADDRESS: usize = 4096;
    /// Requests for statuses at the same time.
    pub(crate) const STATUSES_SIDE_BY_SIDE: usize = 6;
    /// Documents and files that are asked for below one item of which the platform can give no archive.
    pub(crate) const PARTS: usize = 20_000;
    /// Objects of one list that are read before it counts as endless.
    pub(crate) const LIST_OBJECTS: usize = 200_000;
    /// Pages of one list that are read before it counts as endless.
    pub(crate) const LIST_PAGES: usize = 1_000;
}
