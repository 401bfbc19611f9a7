//! Waiting for the platform: when to look, what counts as progress, when to give up.

use std::time::Duration;

use super::machine::Item;
use super::state::{Deletion, Given, ItemFailure, Others, State};
use crate::model::Ticket;
use crate::ports::{ApiError, ExportState, ExportStatus};
use crate::report::Stage;
use crate::workflow::pace::{Look, in_words};
use crate::workflow::retry::{Verdict, verdict};
use crate::workflow::usual::Took;

impl Item {
    pub(super) fn see_status(
        &mut self,
        ticket: Ticket,
        status: &ExportStatus,
        elapsed: Duration,
        others: Others,
    ) {
        self.may_run = status.state() == ExportState::Running;
        match status.state() {
            ExportState::Complete => {
                self.stage_attempts = 0;
                if let (State::Polling { asked_at, .. }, Some(more_than)) =
                    (&self.state, self.ran_at.take())
                {
                    let at_most = self.pace.age(*asked_at);
                    self.took = Some(Took { more_than, at_most });
                }
                self.pace.revive(elapsed);
                self.state = State::Ready {
                    ticket,
                    not_before: Duration::ZERO,
                };
            }
            ExportState::Error => self.fail(
                ItemFailure::of_status("the platform could not export it", status).for_good(),
                Some((ticket, Deletion::Empty)),
            ),
            ExportState::Cancelled => {
                self.fail(
                    ItemFailure::of_status("the export was cancelled on the platform", status),
                    Some((ticket, Deletion::Empty)),
                );
            }
            ExportState::Running => {
                self.pace.note(status, elapsed);
                if let (State::Polling { asked_at, .. }, Some(ran_at)) =
                    (&self.state, &mut self.ran_at)
                {
                    *ran_at = self.pace.age(*asked_at);
                }
                self.wait_on(ticket, elapsed, others);
            }
        }
    }

    pub(super) fn wait_on(&mut self, ticket: Ticket, elapsed: Duration, others: Others) {
        let deadline = self.pace.deadline(self.max_wait, others.progressed_at);
        if elapsed >= deadline {
            let failure = ItemFailure::of_words(
                Stage::Wait,
                &format!(
                    "the platform's export made no progress for {} and was given up (`--max-wait` allows more)",
                    in_words(self.max_wait)
                ),
            );
            if self.pace.has_progressed() {
                // It ran, and its place on the platform is free now: exports that waited for it get their time.
                self.pace.revive(elapsed);
            }
            // What was called complete once may have an archive all the same.
            let given = if self.refused_although_complete > 0 {
                Given::Left(failure)
            } else {
                Given::Empty(failure)
            };
            self.give_up(ticket, given);
            return;
        }
        self.state = State::Waiting {
            ticket,
            look: self.pace.look(elapsed, others.usual).by(deadline),
        };
    }

    pub(super) fn status_failed(
        &mut self,
        error: &ApiError,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        if matches!(error, ApiError::NotFound { .. }) {
            return self.renew(ticket, elapsed, ItemFailure::of_error(Stage::Wait, error));
        }
        self.poll_failures += 1;
        match verdict(error, self.poll_failures, &mut self.jitter) {
            Verdict::Again(wait)
                if elapsed.saturating_sub(self.pace.progressed_at().max(others_progressed_at))
                    < self.max_wait =>
            {
                self.state = State::Waiting {
                    ticket,
                    look: Look::at(elapsed + wait),
                };
            }
            Verdict::Again(_) | Verdict::GiveUp => {
                self.failed_attempts += self.poll_failures;
                self.give_up_download(ticket, ItemFailure::of_error(Stage::Wait, error));
            }
        }
    }
}
