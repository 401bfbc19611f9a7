//! Waiting for the platform, and what it made.

use std::time::Duration;

use super::machine::Item;
use super::state::{Given, Question, State};
use crate::model::{ImportTicket, ObjectId};
use crate::ports::{ApiError, ExportState, ExportStatus, ImportTicketFacts};
use crate::workflow::Limits;
use crate::workflow::import::outcome::ImportStage;
use crate::workflow::pace::in_words;
use crate::workflow::retry::{Verdict, verdict};
use crate::workflow::usual::Usual;

impl Item {
    pub(super) fn see_status(
        &mut self,
        ticket: ImportTicket,
        status: &ExportStatus,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        match status.state() {
            ExportState::Complete => {
                self.pace.note(status, elapsed);
                self.state = State::Asking {
                    ticket,
                    due: elapsed,
                    asked: false,
                };
            }
            ExportState::Error => {
                let failure = Given::of_status("the platform could not import it", status);
                self.has_failed(ticket, failure);
            }
            ExportState::Cancelled => {
                let failure = Given::of_status("the import was cancelled on the platform", status);
                self.has_failed(ticket, failure);
            }
            ExportState::Running => {
                self.pace.note(status, elapsed);
                self.wait_on(ticket, elapsed, others_progressed_at);
            }
        }
    }

    /// The platform says that it failed. Where an earlier upload of it may have been taken, that is what it may have failed of.
    fn has_failed(&mut self, ticket: ImportTicket, failure: Given) {
        if self.was_sent {
            self.ask_list(Some(ticket), Question::HasFailed(failure));
        } else {
            self.fail(failure, Some(ticket));
        }
    }

    fn wait_on(&mut self, ticket: ImportTicket, elapsed: Duration, others_progressed_at: Duration) {
        let deadline = self.pace.deadline(self.max_wait, others_progressed_at);
        if elapsed >= deadline {
            let words = format!(
                "the platform's import made no progress for {} and was given up (`--max-wait` allows more)",
                in_words(self.max_wait)
            );
            let failure = Given::of_words(ImportStage::Wait, words);
            return self.conclude(ticket, failure, elapsed);
        }
        self.state = State::Waiting {
            ticket,
            due: self.pace.look(elapsed, Usual::default()).due.min(deadline),
            asked: false,
        };
    }

    /// Its status says nothing, or nothing any more. What its ticket says counts, for an object of its name may be half made.
    fn conclude(&mut self, ticket: ImportTicket, failure: Given, elapsed: Duration) {
        self.attempts = 0;
        self.state = State::Concluding {
            ticket,
            failure,
            due: elapsed,
            asked: false,
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
        let failure = Given::of_error(ImportStage::Wait, error);
        if matches!(error, ApiError::NotFound { .. }) {
            self.was_sent = true;
            return self.send_again(Some(ticket), elapsed, failure);
        }
        self.attempts += 1;
        match verdict(error, self.attempts, &mut self.jitter) {
            Verdict::Again(wait)
                if elapsed < self.pace.deadline(self.max_wait, others_progressed_at) =>
            {
                self.state = State::Waiting {
                    ticket,
                    due: elapsed + wait,
                    asked: false,
                };
            }
            Verdict::Again(_) | Verdict::GiveUp => {
                self.failed_attempts += self.attempts;
                self.conclude(ticket, failure, elapsed);
            }
        }
    }

    /// What the ticket says: whether an upload without an answer arrived, or what an import made.
    pub(super) fn see_ticket(
        &mut self,
        facts: &ImportTicketFacts,
        object: Option<ObjectId>,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        match &self.state {
            State::Unsure { ticket, error, .. } => {
                let (ticket, error) = (*ticket, error.clone());
                self.see_unsure(
                    (ticket, error),
                    facts,
                    object,
                    elapsed,
                    others_progressed_at,
                );
            }
            State::Asking { ticket, .. } => self.is_complete(*ticket, object),
            State::Concluding {
                ticket, failure, ..
            } => {
                let (ticket, failure) = (*ticket, failure.clone());
                if facts.status.state() == ExportState::Running {
                    self.pace.note(&facts.status, elapsed);
                    if elapsed < self.pace.deadline(self.max_wait, others_progressed_at) {
                        return self.wait_on(ticket, elapsed, others_progressed_at);
                    }
                }
                self.see_last_word(ticket, &facts.status, object, failure);
            }
            _ => {}
        }
    }

    fn is_complete(&mut self, ticket: ImportTicket, object: Option<ObjectId>) {
        match object {
            Some(object) => self.is_there(Some(object), Some(ticket)),
            None => self.ask_list(Some(ticket), Question::WhichOne),
        }
    }

    fn see_last_word(
        &mut self,
        ticket: ImportTicket,
        status: &ExportStatus,
        object: Option<ObjectId>,
        failure: Given,
    ) {
        match status.state() {
            ExportState::Complete => self.is_complete(ticket, object),
            ExportState::Error | ExportState::Cancelled => {
                let failure = Given::of_status("the platform could not import it", status);
                self.has_failed(ticket, failure);
            }
            ExportState::Running => self.ask_list(Some(ticket), Question::GivenUp(failure)),
        }
    }

    fn see_unsure(
        &mut self,
        (ticket, error): (ImportTicket, Option<ApiError>),
        facts: &ImportTicketFacts,
        object: Option<ObjectId>,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        self.pace.note(&facts.status, elapsed);
        match facts.status.state() {
            ExportState::Complete => self.is_complete(ticket, object),
            ExportState::Error | ExportState::Cancelled => {
                let failure = Given::of_status("the platform could not import it", &facts.status);
                self.send_again(Some(ticket), elapsed, failure);
            }
            ExportState::Running if facts.uploaded == Some(true) || self.pace.has_progressed() => {
                self.believe_uploaded(ticket, elapsed);
            }
            // Where one import holds the next up, those of others have to move first.
            ExportState::Running
                if elapsed.saturating_sub(self.pace.progressed_at().max(others_progressed_at))
                    < Limits::UNSURE_UPLOAD =>
            {
                self.state = State::Unsure {
                    ticket,
                    error,
                    due: self.pace.look(elapsed, Usual::default()).due,
                    asked: false,
                };
            }
            ExportState::Running => {
                let what = error.map_or_else(
                    || "an interrupted run sent the archive and read no answer".to_owned(),
                    |error| error.to_string(),
                );
                let words = format!("{what}; the platform does not work on what was sent");
                let failure = Given::of_words(ImportStage::Upload, words);
                self.send_again(Some(ticket), elapsed, failure);
            }
        }
    }

    pub(super) fn ticket_failed(&mut self, error: &ApiError, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        self.attempts += 1;
        let is_unsure = matches!(self.state, State::Unsure { .. });
        let is_gone = matches!(error, ApiError::NotFound { .. });
        let wait = if is_gone {
            None
        } else {
            self.again(error, self.attempts)
        };
        match (wait, &mut self.state) {
            (
                Some(wait),
                State::Unsure { due, asked, .. }
                | State::Concluding { due, asked, .. }
                | State::Asking { due, asked, .. },
            ) => (*due, *asked) = (elapsed + wait, false),
            (None, State::Concluding { failure, .. }) => {
                let failure = failure.clone();
                self.ask_list(Some(ticket), Question::GivenUp(failure));
            }
            _ if is_unsure => {
                let failure = Given::of_error(ImportStage::Upload, error);
                self.send_again(Some(ticket), elapsed, failure);
            }
            _ => self.ask_list(Some(ticket), Question::WhichOne),
        }
    }
}
