//! What is known of an export, one fact a line.

use domain::jobs::{Job, JobRequest, JobStateName};
use domain::model::{Secrets, Section};
use jiff::Timestamp;

use crate::page::text::{Moment, shown};
use crate::page::words::Words;

/// A fact.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// What it means; empty for nothing.
    pub(super) note: &'static str,
    pub(super) warns: bool,
}

/// What a fact says.
pub(super) enum Value {
    /// Words, or a name from elsewhere.
    Text(String),
    /// When.
    Time(Moment),
}

/// All facts of an export, in the order in which they are of interest.
pub(super) fn facts(words: &Words, job: &Job, now: Timestamp) -> Vec<Fact> {
    let state = job.state_at(now);
    let is_open = job.is_unfinished() || state == JobStateName::Failed;
    let is_overdue = is_open && job.due() < now;
    let mut facts = vec![
        text(words.whose, shown(job.request.user.as_str())),
        text(words.asked_by, shown(job.requested_by().as_str())),
        text(words.asked_for, order_in_words(words, &job.request)),
        time(words, words.asked, job.requested),
    ];
    if is_open {
        facts.push(Fact {
            note: if is_overdue {
                words.overdue
            } else {
                words.due_text
            },
            warns: is_overdue,
            ..time(words, words.due, job.due())
        });
    }
    facts.extend(job.began.map(|began| time(words, words.begun, began)));
    let finished = job.delivery().map(|delivery| delivery.ready);
    facts.extend(finished.map(|finished| time(words, words.finished, finished)));
    let expires = job.expires().filter(|expires| now < *expires);
    facts.extend(expires.map(|expires| time(words, words.available_until, expires)));
    facts
}

fn text(name: &'static str, value: String) -> Fact {
    Fact {
        name,
        value: Value::Text(value),
        note: "",
        warns: false,
    }
}

fn time(words: &Words, name: &'static str, at: Timestamp) -> Fact {
    Fact {
        name,
        value: Value::Time(Moment::of(words, at)),
        note: "",
        warns: false,
    }
}

/// What was asked for: `Everything · ZIP`.
pub(crate) fn order_in_words(words: &Words, request: &JobRequest) -> String {
    let chosen = &request.selection.sections;
    let what = if chosen.len() == Section::ALL.len() {
        words.everything.to_owned()
    } else {
        (words.kinds_of_data)(chosen.len())
    };
    let mut parts = vec![what, request.format.ending().to_uppercase()];
    if request.secrets == Secrets::Redact {
        parts.push(words.redacted_order.to_owned());
    }
    parts.join(words.between)
}
