//! What the platform knows while it runs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ports::Clock;

use crate::scenario::{ItemKind, Scenario};

use super::history::History;
use super::import_tickets::Imports;
use super::people::Residents;
use super::records::RequestRecord;
use super::tickets::Tickets;

/// What all clones of a platform share.
pub(super) struct Shared {
    pub(super) scenario: Scenario,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Mutex<State>,
}

/// What changes while the platform runs.
pub(super) struct State {
    pub(super) residents: Residents,
    pub(super) tickets: Tickets,
    pub(super) imports: Imports,
    pub(super) history: HashMap<(String, ItemKind, i64), History>,
    /// How many requests each mutation has counted.
    pub(super) counted: Vec<u32>,
    pub(super) requests: VecDeque<RequestRecord>,
    pub(super) requests_in_all: u64,
    /// People whose next request is waited for, and when it came.
    pub(super) awaited: HashMap<String, Option<Duration>>,
}
