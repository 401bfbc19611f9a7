//! Asking for an export, and what becomes of a start whose answer is lost.

use std::time::Duration;

use super::machine::Item;
use super::state::{Ambiguity, ItemFailure, State};
use crate::model::{ItemKind, Ticket};
use crate::ports::ApiError;
use crate::report::Stage;
use crate::workflow::Limits;
use crate::workflow::retry::{Verdict, backoff, verdict};

impl Item {
    pub(super) fn start_failed(
        &mut self,
        error: &ApiError,
        elapsed: Duration,
        others_are_at_work: bool,
    ) {
        if start_may_have_worked(self.subject.kind, error) {
            self.failed_attempts += 1;
            self.lost_starts += 1;
            self.state = State::Unanswered { asked: false };
            return;
        }
        let wait = if others_are_at_work && takes_no_more_now(error) {
            self.again_meanwhile(error)
        } else {
            self.again(error)
        };
        match wait {
            Some(wait) => {
                self.state = State::Queued {
                    not_before: elapsed + wait,
                }
            }
            None => self.fail(ItemFailure::of_error(Stage::Start, error).for_good(), None),
        }
    }

    /// The wait before the next attempt where only the platform's work on others is in the way: each of those ends, or is given up.
    fn again_meanwhile(&mut self, error: &ApiError) -> Option<Duration> {
        self.refused_meanwhile += 1;
        // The pauses become longer, and the last attempts are left for when nothing else is at work.
        self.stage_attempts = (self.stage_attempts + 1).min(Limits::ATTEMPTS);
        match verdict(error, self.stage_attempts, &mut self.jitter) {
            Verdict::Again(wait) => Some(wait),
            Verdict::GiveUp => None,
        }
    }

    pub(super) fn found(&mut self, mut tickets: Vec<Ticket>, elapsed: Duration) {
        let known = u32::try_from(tickets.len()).unwrap_or(u32::MAX);
        self.lost_starts = self.lost_starts.saturating_sub(known);
        if let Some(newest) = tickets.pop() {
            self.replaced.append(&mut tickets);
            self.adopt(newest, elapsed);
        } else {
            self.start_again(
                elapsed,
                "the start was sent several times, and the platform lists no ticket of it",
            );
        }
    }

    pub(super) fn cannot_find(&mut self, why: &Ambiguity, elapsed: Duration) {
        self.unresolved += 1;
        let why = why.in_words();
        self.start_again(
            elapsed,
            &format!("no start was answered with a ticket, and {why}"),
        );
    }

    pub(super) fn start_again(&mut self, elapsed: Duration, otherwise: &str) {
        let often = if self.unresolved == 0 {
            Limits::ATTEMPTS
        } else {
            Limits::UNANSWERED_STARTS
        };
        self.stage_attempts += 1;
        if self.stage_attempts < often && self.failed_attempts < Limits::ITEM_ATTEMPTS {
            let wait = backoff(self.stage_attempts, &mut self.jitter);
            self.state = State::Queued {
                not_before: elapsed + wait,
            };
        } else {
            let last = self.start_error.as_ref();
            let message = last.map_or_else(
                || otherwise.to_owned(),
                |error| format!("{otherwise}; the last start came to this: {error}"),
            );
            let failure = ItemFailure {
                http_status: last.and_then(ApiError::http_status),
                ..ItemFailure::of_words(Stage::Start, &message)
            };
            self.fail(failure, None);
        }
    }
}

/// Whether an answer to a start says that the platform takes nothing more at the moment.
fn takes_no_more_now(error: &ApiError) -> bool {
    let busy = [429, 503];
    matches!(error, ApiError::Overloaded { status, .. } if busy.contains(status))
}

/// Whether a ticket may exist although no answer says so.
pub fn start_may_have_worked(kind: ItemKind, error: &ApiError) -> bool {
    match error {
        ApiError::NoAnswer { sent, .. } => *sent,
        ApiError::Stalled { .. }
        | ApiError::Interrupted { .. }
        | ApiError::Unreadable { .. }
        | ApiError::Empty { .. }
        | ApiError::NotUForge { .. }
        | ApiError::NotHttp { .. }
        | ApiError::Overloaded {
            // A gateway that stopped waiting for a platform that may still be at work.
            status: 499 | 504 | 520 | 524 | 598 | 599,
            ..
        } => true,
        // A gateway that does not reach the platform: hardly a ticket. For an appliance, one request looks for it.
        ApiError::Overloaded { status: 502, .. } => kind == ItemKind::Appliance,
        _ => false,
    }
}
