//! Asking for a ticket and sending the archive, and what becomes of answers that are lost.

use std::time::Duration;

use super::machine::Item;
use super::state::{Given, Question, State};
use crate::model::ImportTicket;
use crate::ports::{ApiError, ImportFact};
use crate::workflow::Limits;
use crate::workflow::import::outcome::ImportStage;
use crate::workflow::item::start_may_have_worked;
use crate::workflow::pace::Pace;
use crate::workflow::retry::backoff;

impl Item {
    pub(super) fn open_failed(&mut self, error: &ApiError, elapsed: Duration) {
        self.open_attempts += 1;
        if start_may_have_worked(self.subject.kind, error) {
            self.failed_attempts += 1;
            self.lost += 1;
            self.state = State::Unanswered { asked: false };
            return;
        }
        match self.again(error, self.open_attempts) {
            Some(wait) => {
                self.state = State::Queued {
                    not_before: elapsed + wait,
                }
            }
            None => self.fail(Given::of_error(ImportStage::Ticket, error), None),
        }
    }

    pub(super) fn open_again(&mut self, elapsed: Duration, otherwise: &str) {
        let often = if self.unresolved == 0 {
            Limits::ATTEMPTS
        } else {
            Limits::UNANSWERED_STARTS
        };
        // Of a run that was resumed here, the request that was lost counts as well.
        self.open_attempts = self.open_attempts.max(1);
        if self.open_attempts < often && self.failed_attempts < Limits::ITEM_ATTEMPTS {
            self.state = State::Queued {
                not_before: elapsed + backoff(self.open_attempts, &mut self.jitter),
            };
        } else {
            let last = self.open_error.as_ref().map_or_else(String::new, |error| {
                format!("; the last request came to this: {error}")
            });
            let words = format!(
                "no request for an import ticket was answered with one, and {otherwise}{last}"
            );
            self.fail(Given::of_words(ImportStage::Ticket, words), None);
        }
    }

    pub(super) fn upload_failed(&mut self, error: &ApiError, sent: bool, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        match error {
            // An answer in 2xx that says nothing is an answer: the archive is there.
            ApiError::Unreadable { .. } | ApiError::Empty { .. } if sent => {
                self.believe_uploaded(ticket, elapsed);
            }
            error if sent && may_have_arrived(error) => {
                self.failed_attempts += 1;
                self.upload_attempts += 1;
                self.become_unsure(ticket, elapsed, Some(error.clone()));
            }
            // Of a ticket that is there nevertheless, deleting it or its number is what is left to do.
            ApiError::NotFound { .. } => {
                let failure = Given::of_error(ImportStage::Upload, error);
                self.send_again(Some(ticket), elapsed, failure);
            }
            error => {
                self.upload_attempts += 1;
                let failure = Given::of_error(ImportStage::Upload, error);
                match self.again(error, self.upload_attempts) {
                    Some(wait) => self.ask_list(
                        Some(ticket),
                        Question::SendAgain {
                            not_before: elapsed + wait,
                            otherwise: failure,
                        },
                    ),
                    None => self.fail(failure, Some(ticket)),
                }
            }
        }
    }

    /// The platform has the archive.
    pub(super) fn believe_uploaded(&mut self, ticket: ImportTicket, elapsed: Duration) {
        self.facts.push(ImportFact::Uploaded { item: self.subject });
        self.pace = Pace::begin(elapsed);
        self.state = State::Waiting {
            ticket,
            due: elapsed,
            asked: false,
        };
    }

    /// The whole archive was sent. `error` is what came instead of an answer that says so; a run that was interrupted leaves none.
    pub(super) fn become_unsure(
        &mut self,
        ticket: ImportTicket,
        elapsed: Duration,
        error: Option<ApiError>,
    ) {
        self.was_sent = true;
        self.pace = Pace::begin(elapsed);
        self.state = State::Unsure {
            ticket,
            error,
            due: elapsed,
            asked: false,
        };
    }

    /// The ticket is lost, or of no more use: a new one, unless that has been tried often enough.
    pub(super) fn send_again(
        &mut self,
        ticket: Option<ImportTicket>,
        elapsed: Duration,
        otherwise: Given,
    ) {
        self.failed_attempts += 1;
        self.renewals += 1;
        let question = if self.renewals <= Limits::RENEWALS
            && self.failed_attempts < Limits::ITEM_ATTEMPTS
            && self.upload_attempts < Limits::ATTEMPTS
        {
            Question::SendAgain {
                not_before: elapsed + backoff(self.renewals, &mut self.jitter),
                otherwise,
            }
        } else {
            Question::HasFailed(otherwise)
        };
        self.ask_list(ticket, question);
    }
}

/// Whether an archive that was sent whole may be there although no answer says so.
fn may_have_arrived(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::NoAnswer { .. }
            | ApiError::Stalled { .. }
            | ApiError::Interrupted { .. }
            | ApiError::NotHttp { .. }
            | ApiError::NotUForge { .. }
            | ApiError::Overloaded { .. }
            | ApiError::ServerFault { .. }
    )
}
