//! An export that failed.

use domain::jobs::{Job, JobState};
use jiff::Timestamp;

use crate::page::text::shown;
use crate::page::words::Words;

/// Why one failed, and what can be done.
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hint: String,
    /// Until when its owner can try it again.
    pub(crate) until: Option<String>,
}

impl Failure {
    pub(crate) fn of(words: &Words, job: &Job, now: Timestamp, is_own: bool) -> Option<Self> {
        let JobState::Failed {
            failure,
            resumable_until,
            ..
        } = &job.state
        else {
            return None;
        };
        let until = resumable_until.filter(|until| is_own && now < *until);
        Some(Self {
            message: shown(&failure.message),
            hint: failure.hint.as_deref().map(shown).unwrap_or_default(),
            until: until.map(|until| (words.try_again_until)(&(words.moment)(until))),
        })
    }
}
