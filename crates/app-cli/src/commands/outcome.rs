//! What a run came to, for standard output, for people and for programs.

use std::path::{Path, PathBuf};

use domain::report::{Completeness, FailureEntry, Outcome, summary};
use serde::Serialize;

use super::session::Session;
use crate::compose::{self, RunFiles};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::Listener;
use crate::stdout;

/// Summaries are set for this width.
const COLUMNS: usize = 80;

/// What a run that ended well came to.
pub(super) struct Finished {
    /// The bag; `None` where it went to standard output.
    pub(super) bag: Option<PathBuf>,
    pub(super) completeness: Completeness,
    /// What lets the next run report the bag, until this one has reported it.
    pub(super) run_files: RunFiles,
}

/// Standard output gets the bag's path, one line. Only then are the files of the run removed: after a kill before that,
/// the same command reports once more that the bag is complete, instead of refusing its name.
pub(super) fn report(finished: Finished) -> Result<Ending, CommandError> {
    if let Some(path) = &finished.bag {
        stdout::write_path(path).map_err(|error| CommandError::PathNotWritten(Box::new(error)))?;
    }
    finished.run_files.remove();
    Ok(Ending::of_run(finished.completeness))
}

/// What the bag itself says. An encrypted one cannot be asked; it was finished, so it is a valid bag.
pub(super) fn recorded_completeness(bag: &Path) -> Completeness {
    let listing = compose::open_bag(bag, None).and_then(compose::list);
    match listing.ok().and_then(|listing| listing.outcome).as_deref() {
        Some("partial") => Completeness::Partial,
        _ => Completeness::Complete,
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "outcome")]
struct OutcomeEvent<'a> {
    outcome: Completeness,
    /// A path that is not Unicode has no other form in JSON.
    bag: Option<String>,
    bytes: u64,
    failures: Vec<FailureEntry<'a>>,
}

pub(super) fn report_outcome(session: &Session, outcome: &Outcome) {
    let report = &outcome.report;
    let partial = report.completeness == Completeness::Partial;
    match session.messages.listener() {
        Listener::QuietPerson if !partial => {}
        Listener::Person | Listener::QuietPerson => {
            session.messages.write(&summary(outcome, COLUMNS));
        }
        Listener::Program => session.messages.event(OutcomeEvent {
            outcome: report.completeness,
            bag: outcome
                .bag
                .path
                .as_ref()
                .map(|path| path.display().to_string()),
            bytes: outcome.bag.bytes,
            failures: report.failures.iter().map(FailureEntry::of).collect(),
        }),
    }
}
