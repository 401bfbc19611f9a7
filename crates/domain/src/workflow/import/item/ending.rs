//! The platform's list as the last word, the end, and the ticket that goes with it.

use std::time::Duration;

use super::machine::Item;
use super::state::{Given, Live, Question, State, Then};
use crate::model::{ImportTicket, ItemKind, ObjectId};
use crate::ports::{ApiError, ImportFact, MadeObject};
use crate::workflow::import::outcome::ImportStage;
use crate::workflow::retry::{Verdict, verdict};

impl Item {
    /// Has the platform's list decide.
    pub(super) fn ask_list(&mut self, ticket: Option<ImportTicket>, question: Question) {
        self.attempts = 0;
        self.state = State::LookingUp {
            ticket,
            question,
            due: Duration::ZERO,
            asked: false,
        };
    }

    pub(super) fn looked_up(&mut self, live: Live, elapsed: Duration) {
        let State::LookingUp {
            ticket, question, ..
        } = std::mem::replace(&mut self.state, State::Finished)
        else {
            return;
        };
        match (live, question) {
            (Live::There(_), Question::GivenUp(failure)) => {
                let words = "an object of this name and version is there, and it is not confirmed that its import has ended well: look at it on the platform";
                self.is_not_confirmed(failure, words, ticket);
            }
            (Live::There(object), _) => self.is_there(object, ticket),
            (Live::NotThere, Question::WhichOne) => {
                let words = "the platform says that the import is complete, but no object of this name and version is in its list";
                self.fail(Given::of_words(ImportStage::Result, words), ticket);
            }
            (Live::NotThere, Question::HasFailed(failure) | Question::GivenUp(failure)) => {
                self.fail(failure, ticket);
            }
            (
                Live::NotThere,
                Question::SendAgain {
                    not_before,
                    otherwise,
                },
            ) => {
                let then = Then::SendAgain {
                    not_before: not_before.max(elapsed),
                    otherwise,
                };
                self.give_up(ticket, then);
            }
        }
    }

    pub(super) fn look_up_failed(&mut self, error: &ApiError, elapsed: Duration) {
        self.attempts += 1;
        let wait = self.again(error, self.attempts);
        let State::LookingUp {
            ticket,
            question,
            due,
            asked,
        } = &mut self.state
        else {
            return;
        };
        if let Some(wait) = wait {
            (*due, *asked) = (elapsed + wait, false);
            return;
        }
        let ticket = *ticket;
        match question.clone() {
            // That it is there is certain; under which id is not known.
            Question::WhichOne => self.is_there(None, ticket),
            Question::GivenUp(failure) => {
                let words = "whether something of it is there could not be found out";
                self.is_not_confirmed(failure, words, ticket);
            }
            Question::HasFailed(failure)
            | Question::SendAgain {
                otherwise: failure, ..
            } => self.fail(failure, ticket),
        }
    }

    /// It is imported. Its ticket goes.
    pub(super) fn is_there(&mut self, object: Option<ObjectId>, ticket: Option<ImportTicket>) {
        self.imported = Some(MadeObject { id: object });
        self.facts.push(ImportFact::Imported {
            item: self.subject,
            object,
        });
        match ticket.filter(|ticket| ticket.kind == ItemKind::Appliance) {
            Some(ticket) => self.delete(ticket, Then::End),
            None => self.state = State::Finished,
        }
    }

    /// It is not imported. Its ticket goes, or its number is reported.
    pub(super) fn fail(&mut self, failure: Given, ticket: Option<ImportTicket>) {
        self.failure = Some(failure);
        self.give_up(ticket, Then::End);
    }

    /// Nobody knows whether it is imported. Its ticket stays: a later run asks it, and sends nothing twice.
    fn is_not_confirmed(&mut self, mut failure: Given, words: &str, ticket: Option<ImportTicket>) {
        let ticket = ticket.map_or_else(String::new, |ticket| {
            format!(
                ". Import ticket {} stays on the platform; the same command asks it again",
                ticket.id
            )
        });
        failure.message = format!("{}; {words}{ticket}", failure.message);
        self.failure = Some(failure);
        self.state = State::Finished;
    }

    /// A ticket of my software cannot be deleted: its number is recorded.
    fn give_up(&mut self, ticket: Option<ImportTicket>, then: Then) {
        match ticket {
            Some(ticket) if ticket.kind == ItemKind::Appliance => self.delete(ticket, then),
            Some(ticket) => {
                self.facts.push(ImportFact::GivenUp { ticket });
                self.after_ticket(&then);
            }
            None => self.after_ticket(&then),
        }
    }

    fn delete(&mut self, ticket: ImportTicket, then: Then) {
        self.attempts = 0;
        self.state = State::Deleting {
            ticket,
            then,
            due: Duration::ZERO,
            asked: false,
        };
    }

    fn after_ticket(&mut self, then: &Then) {
        self.state = match *then {
            Then::End => State::Finished,
            Then::SendAgain { not_before, .. } => State::Queued { not_before },
        };
    }

    pub(super) fn deleted(&mut self) {
        if let State::Deleting { then, .. } = std::mem::replace(&mut self.state, State::Finished) {
            self.after_ticket(&then);
        }
    }

    pub(super) fn delete_failed(&mut self, error: ApiError, elapsed: Duration) {
        self.attempts += 1;
        let State::Deleting {
            ticket,
            then,
            due,
            asked,
        } = &mut self.state
        else {
            return;
        };
        if let Verdict::Again(wait) = verdict(&error, self.attempts, &mut self.jitter) {
            (*due, *asked) = (elapsed + wait, false);
            return;
        }
        self.undeleted = Some((*ticket, error));
        // A second ticket beside one that may be at work could import it twice.
        if let Then::SendAgain { otherwise, .. } = then {
            self.failure = Some(otherwise.clone());
        }
        self.state = State::Finished;
    }
}
