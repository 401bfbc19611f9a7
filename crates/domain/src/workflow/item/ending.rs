//! The end: a receipt or a loss, and the tickets that go with it.

use std::time::Duration;

use super::{Deletion, Item, Loss, State};
use crate::model::Ticket;
use crate::ports::{ApiError, ExportStatus, Receipt};
use crate::report::{ItemStatus, Stage};
use crate::workflow::retry::{Verdict, verdict};

impl Item {
    /// The item is lost. `empty` is a ticket that has no archive; all others may have one, and so are left there and named.
    pub(super) fn lose(&mut self, mut loss: Loss, empty: Option<Ticket>) {
        loss.name_left(&self.replaced);
        self.loss = Some(loss);
        let queue = empty
            .map(|ticket| (ticket, Deletion::Empty))
            .into_iter()
            .collect();
        self.begin_deleting(queue);
    }

    pub(super) fn store(&mut self, receipt: Receipt, ticket: Option<Ticket>) {
        let mut queue: Vec<_> = self
            .replaced
            .drain(..)
            .chain(ticket)
            .map(|t| (t, Deletion::Safe(Box::new(receipt.clone()))))
            .collect();
        if self.keep_tickets || !receipt.durable {
            queue.clear();
        }
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
        if let State::Deleting {
            queue,
            sent,
            attempts,
            ..
        } = &mut self.state
        {
            queue.retain(|(queued, _)| *queued != ticket);
            (*sent, *attempts) = (false, 0);
        }
    }

    pub(super) fn delete_failed(&mut self, ticket: Ticket, error: &ApiError, elapsed: Duration) {
        let State::Deleting {
            queue,
            sent,
            attempts,
            not_before,
        } = &mut self.state
        else {
            return;
        };
        *sent = false;
        *attempts += 1;
        if let Verdict::Again(wait) = verdict(error, *attempts, &mut self.jitter) {
            *not_before = elapsed + wait;
        } else {
            *attempts = 0;
            queue.retain(|(queued, _)| *queued != ticket);
            self.undeleted.push((ticket, error.clone()));
        }
    }
}

impl Loss {
    fn name_left(&mut self, tickets: &[Ticket]) {
        let ids: Vec<String> = tickets.iter().map(|ticket| ticket.id.to_string()).collect();
        // A ticket that the platform says it does not have may be there all the same.
        let (one, many) = if self.http_status == Some(404) {
            ("may be", "may be")
        } else {
            ("was", "were")
        };
        let left = match ids.as_slice() {
            [] => return,
            [id] => format!("; its export ticket {id} {one} left on the platform"),
            _ => format!(
                "; its export tickets {} {many} left on the platform",
                ids.join(", ")
            ),
        };
        self.message.push_str(&left);
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
        }
    }

    pub(super) fn of_words(stage: Stage, message: &str) -> Self {
        Self {
            stage,
            http_status: None,
            message: message.to_owned(),
            status: ItemStatus::Failed,
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
