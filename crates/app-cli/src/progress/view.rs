//! What a way to show progress has to do.

use std::time::Duration;

use domain::ports::Event;

/// What is exported or imported, for the first line.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Whose data.
    pub(crate) user: String,
    /// What stands between whose data it is and the host.
    pub(crate) preposition: &'static str,
    /// The platform's host.
    pub(crate) host: String,
}

/// One way to show events.
pub(super) trait View: Send {
    fn on(&mut self, event: &Event, now: Duration);
    fn tick(&mut self, _now: Duration) {}
    fn end(&mut self) {}
}
