//! The end: a receipt or a failure, and the tickets that go with it.

use std::time::Duration;

use super::machine::Item;
use super::state::{Deletion, Given, ItemFailure, State};
use crate::model::{ItemKind, Ticket};
use crate::ports::{ApiError, ExportStatus, Receipt};
use crate::report::{ItemStatus, Stage};
use crate::workflow::retry::{Verdict, verdict};

impl Item {
    /// Gives a ticket up. What the platform may still work on is stopped first, so that nothing runs beside what comes next.
    pub(super) fn give_up(&mut self, ticket: Ticket, given: Given) {
        self.state = State::Cancelling {
            ticket,
            sent: false,
            attempts: 0,
            not_before: Duration::ZERO,
            given,
        };
        // An export of my software cannot be cancelled: deleting its ticket is the only way to stop it.
        if !self.may_run || self.subject.kind == ItemKind::MySoftware {
            self.after_cancel();
        }
    }

    pub(super) fn cancelled(&mut self) {
        if matches!(self.state, State::Cancelling { .. }) {
            self.may_run = false;
            self.after_cancel();
        }
    }

    pub(super) fn cancel_failed(&mut self, error: &ApiError, elapsed: Duration) {
        if let State::Cancelling {
            sent,
            attempts,
            not_before,
            ..
        } = &mut self.state
        {
            *sent = false;
            *attempts += 1;
            if let Verdict::Again(wait) = verdict(error, *attempts, &mut self.jitter) {
                *not_before = elapsed + wait;
            } else {
                self.after_cancel();
            }
        }
    }

    fn after_cancel(&mut self) {
        let State::Cancelling { ticket, given, .. } =
            std::mem::replace(&mut self.state, State::Finished)
        else {
            return;
        };
        // Where the platform did not say that it stopped, an archive may still come into being: the reason must not deny that.
        let why = if self.may_run {
            Deletion::GivenUp
        } else {
            Deletion::Empty
        };
        match given {
            Given::Empty(failure) => self.fail(failure, Some((ticket, why))),
            // Nothing says that it has an archive, and it cannot be stopped in another way.
            Given::Left(failure)
                if self.may_run
                    && self.refused_although_complete == 0
                    && self.subject.kind == ItemKind::MySoftware =>
            {
                self.fail(failure, Some((ticket, why)));
            }
            Given::Left(failure) => {
                self.replaced.push(ticket);
                self.fail(failure, None);
            }
            Given::Replaced {
                not_before,
                otherwise,
            } => {
                self.state = State::Replacing {
                    ticket,
                    sent: false,
                    attempts: 0,
                    not_before: Duration::ZERO,
                    start_at: not_before,
                    otherwise,
                }
            }
        }
    }

    /// The item failed. `useless` is a ticket that is deleted, and why. Of all others, which may have an archive, the newest is left
    /// on the platform and named.
    pub(super) fn fail(&mut self, mut failure: ItemFailure, useless: Option<(Ticket, Deletion)>) {
        let left = self.replaced.pop();
        failure.name_left(left);
        self.failure = Some(failure);
        let older = self.replaced.drain(..);
        let queue = useless
            .into_iter()
            .chain(older.map(|ticket| (ticket, Deletion::Replaced)))
            .collect();
        self.begin_deleting(queue);
    }

    pub(super) fn store(&mut self, receipt: Receipt, ticket: Option<Ticket>) {
        let mut tickets: Vec<_> = self.replaced.drain(..).chain(ticket).collect();
        if self.keep_tickets {
            tickets.clear();
        } else if !receipt.durable {
            self.delete_after_finish.append(&mut tickets);
        }
        let safe = |ticket| (ticket, Deletion::Safe(Box::new(receipt.clone())));
        let queue = tickets.into_iter().map(safe).collect();
        self.receipt = Some(receipt);
        self.begin_deleting(queue);
    }

    pub(super) fn begin_deleting(&mut self, queue: Vec<(Ticket, Deletion)>) {
        self.state = State::Deleting {
            queue,
            sent: false,
            attempts: 0,
            not_before: Duration::ZERO,
        };
    }

    pub(super) fn deleted(&mut self, ticket: Ticket) {
        self.may_run = false;
        match &mut self.state {
            State::Replacing { start_at, .. } => {
                self.state = State::Queued {
                    not_before: *start_at,
                }
            }
            State::Deleting {
                queue,
                sent,
                attempts,
                ..
            } => {
                queue.retain(|(queued, _)| *queued != ticket);
                (*sent, *attempts) = (false, 0);
            }
            _ => {}
        }
    }

    pub(super) fn delete_failed(&mut self, ticket: Ticket, error: &ApiError, elapsed: Duration) {
        let (State::Replacing {
            sent,
            attempts,
            not_before,
            ..
        }
        | State::Deleting {
            sent,
            attempts,
            not_before,
            ..
        }) = &mut self.state
        else {
            return;
        };
        *sent = false;
        *attempts += 1;
        if let Verdict::Again(wait) = verdict(error, *attempts, &mut self.jitter) {
            *not_before = elapsed + wait;
            return;
        }
        *attempts = 0;
        self.may_run = false;
        match &mut self.state {
            // A second ticket beside one that cannot be deleted would leave two.
            State::Replacing { otherwise, .. } => {
                let failure = otherwise.clone();
                self.replaced.push(ticket);
                self.fail(failure, None);
            }
            State::Deleting { queue, .. } => {
                queue.retain(|(queued, _)| *queued != ticket);
                self.undeleted.push((ticket, error.clone()));
            }
            _ => {}
        }
    }
}

impl ItemFailure {
    fn name_left(&mut self, ticket: Option<Ticket>) {
        let Some(ticket) = ticket else {
            return;
        };
        // A ticket that the platform says it does not have may be there all the same.
        let was = if matches!(self.http_status, Some(404 | 410)) {
            "may be"
        } else {
            "was"
        };
        let id = ticket.id;
        let left = format!("; its export ticket {id} {was} left on the platform");
        self.message.push_str(&left);
    }

    /// Whether the platform says that it does not have the item: a start that answers 404.
    pub(crate) fn says_gone(&self) -> bool {
        self.stage == Stage::Start
            && self.status == ItemStatus::Unavailable
            && self.http_status != Some(403)
    }

    /// The platform can give no archive of the item, and has the item.
    pub(super) fn for_good(self) -> Self {
        Self {
            is_for_good: !self.says_gone(),
            ..self
        }
    }

    pub(super) fn of_error(stage: Stage, error: &ApiError) -> Self {
        let gone = matches!(
            error,
            ApiError::NotFound { .. } | ApiError::Forbidden { .. }
        );
        Self {
            stage,
            http_status: error.http_status(),
            message: error.to_string(),
            status: if gone {
                ItemStatus::Unavailable
            } else {
                ItemStatus::Failed
            },
            is_for_good: false,
        }
    }

    pub(super) fn of_words(stage: Stage, message: &str) -> Self {
        Self {
            stage,
            http_status: None,
            message: message.to_owned(),
            status: ItemStatus::Failed,
            is_for_good: false,
        }
    }

    pub(super) fn of_status(what: &str, status: &ExportStatus) -> Self {
        let words = status
            .error_message
            .as_deref()
            .or(status.message.as_deref())
            .filter(|words| !words.trim().is_empty());
        Self::of_words(
            Stage::Wait,
            &words.map_or_else(|| what.to_owned(), |words| format!("{what}: \"{words}\"")),
        )
    }
}
