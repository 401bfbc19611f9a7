//! What a run came to, for standard output, for people and for programs.

use std::path::{Path, PathBuf};

use domain::bag::verify::RecordedExport;
use domain::ports::FinishedBag;
use domain::report::{Completeness, FailureEntry, Outcome, summary};
use serde::Serialize;

use super::session::Session;
use crate::compose::{self, RunFiles};
use crate::exit::Ending;
use crate::render::{Listener, causes};
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
///
/// Where the line cannot be written, standard error says so and names the bag. The exit status stays the bag's: 1 would say that
/// there is none.
pub(super) fn report(session: &Session, finished: Finished) -> Ending {
    if let Some(path) = &finished.bag
        && let Err(error) = stdout::write_path(path)
    {
        let causes = causes(&error).join(": ");
        session.messages.warn(&format!(
            "could not write the path of the bag to standard output: {causes}. The bag is complete: {}",
            path.display()
        ));
    }
    finished.run_files.remove();
    Ending::of_run(finished.completeness)
}

/// Reports a bag that an interrupted run had completed, by what the bag itself says. An encrypted one cannot be asked: the journal
/// has whether it `is_partial`, and not what is missing.
pub(super) fn report_recorded(
    session: &Session,
    bag: &FinishedBag,
    is_partial: bool,
) -> Completeness {
    let recorded = bag.path.as_deref().and_then(recorded).unwrap_or_default();
    let completeness = match recorded.outcome.as_deref() {
        Some("partial") => Completeness::Partial,
        None if is_partial => Completeness::Partial,
        _ => Completeness::Complete,
    };
    if session.messages.listener() == Listener::Program {
        session
            .messages
            .event(OutcomeEvent::of(completeness, bag, recorded.failures));
    }
    completeness
}

fn recorded(bag: &Path) -> Option<RecordedExport> {
    let bag = compose::open_bag(bag, None).ok()?;
    let export_json = compose::export_json(bag).ok()??;
    RecordedExport::read(&*export_json).ok()
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "outcome")]
struct OutcomeEvent<F> {
    outcome: Completeness,
    /// A path that is not Unicode has no other form in JSON.
    bag: Option<String>,
    bytes: u64,
    failures: Vec<F>,
}

impl<F> OutcomeEvent<F> {
    fn of(outcome: Completeness, bag: &FinishedBag, failures: Vec<F>) -> Self {
        Self {
            outcome,
            bag: bag.path.as_ref().map(|path| path.display().to_string()),
            bytes: bag.bytes,
            failures,
        }
    }
}

pub(super) fn report_outcome(session: &Session, outcome: &Outcome) {
    let report = &outcome.report;
    let partial = report.completeness == Completeness::Partial;
    match session.messages.listener() {
        Listener::QuietPerson if !partial => {}
        Listener::Person | Listener::QuietPerson => {
            session.messages.write(&summary(outcome, COLUMNS));
        }
        Listener::Program => {
            let failures = report.failures.iter().map(FailureEntry::of).collect();
            session.messages.event(OutcomeEvent::of(
                report.completeness,
                &outcome.bag,
                failures,
            ));
        }
    }
}
