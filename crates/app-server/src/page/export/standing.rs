//! Where an export is in its life, in words.

use domain::jobs::{Job, JobProgress, JobState, JobStateName};
use domain::report::Completeness;
use jiff::Timestamp;

use crate::page::words::Words;

/// A word for the state, and how it looks.
pub(crate) struct Standing {
    pub(crate) word: &'static str,
    /// Its class in the style sheet.
    pub(crate) look: &'static str,
}

impl Standing {
    pub(crate) fn of(words: &Words, job: &Job, now: Timestamp) -> Self {
        let state = job.state_at(now);
        let completeness = job.delivery().map(|delivery| delivery.completeness);
        Self {
            word: (words.state)(state, completeness),
            look: match (state, completeness) {
                (JobStateName::Queued | JobStateName::Running | JobStateName::Waiting, _) => "busy",
                (JobStateName::Ready, Some(Completeness::Partial)) | (JobStateName::Failed, _) => {
                    "warn"
                }
                (JobStateName::Ready, _) => "good",
                (JobStateName::Cancelled | JobStateName::Expired | JobStateName::Deleted, _) => {
                    "over"
                }
            },
        }
    }
}

/// What is to be said of it in a sentence or two.
pub(crate) fn said(
    words: &Words,
    job: &Job,
    progress: Option<&JobProgress>,
    now: Timestamp,
) -> String {
    match &job.state {
        JobState::Waiting {
            waiting_for, retry, ..
        } => {
            let waits = (words.waiting)(*waiting_for);
            match retry.filter(|retry| now < *retry) {
                Some(retry) => {
                    let again = (words.tried_again_at)(&(words.moment)(retry));
                    format!("{waits} {again}")
                }
                None => waits.to_owned(),
            }
        }
        JobState::Running => match progress {
            Some(progress) => under_way(words, progress),
            None => (words.state_text)(JobStateName::Running).to_owned(),
        },
        _ => (words.state_text)(job.state_at(now)).to_owned(),
    }
}

/// What the run does, and how many archives are done.
fn under_way(words: &Words, progress: &JobProgress) -> String {
    let phase = (words.phase)(progress.phase);
    match progress.planned_items() {
        Some(planned) if planned > 0 => {
            let done = (words.archives_done)(progress.ended_items(), planned);
            format!("{phase}{}{done}", words.between)
        }
        _ => phase.to_owned(),
    }
}
