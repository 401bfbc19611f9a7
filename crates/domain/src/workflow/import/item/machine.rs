//! The machine itself: what is to be done at a moment, and how each answer moves it on.

use std::time::Duration;

use super::state::{Action, Given, Question, Seen, State};
use crate::model::{ImportTicket, ItemKind, ItemRef};
use crate::ports::{ApiError, ImportFact, ImportRecord, MadeObject, UploadPhase};
use crate::workflow::Limits;
use crate::workflow::import::outcome::ImportStage;
use crate::workflow::pace::Pace;
use crate::workflow::retry::{Jitter, Verdict, verdict};

/// One item and how far its import is.
#[derive(Debug)]
pub(crate) struct Item {
    pub(super) subject: ItemRef,
    pub(super) state: State,
    pub(super) jitter: Jitter,
    pub(super) max_wait: Duration,
    pub(super) pace: Pace,
    /// What it was imported as, once it was.
    pub(super) imported: Option<MadeObject>,
    pub(super) failure: Option<Given>,
    /// Whether an earlier ticket may have had the whole archive.
    pub(super) was_sent: bool,
    /// An appliance's ticket that could not be deleted.
    pub(super) undeleted: Option<(ImportTicket, ApiError)>,
    /// What is to be recorded.
    pub(super) facts: Vec<ImportFact>,
    pub(super) failed_attempts: u32,
    /// Failed attempts at asking for a ticket, at uploads, and at all else.
    pub(super) open_attempts: u32,
    /// What the last request for a ticket that failed came to.
    pub(super) open_error: Option<ApiError>,
    pub(super) upload_attempts: u32,
    pub(super) attempts: u32,
    pub(super) renewals: u32,
    pub(super) unresolved: u32,
    /// Requests for a ticket whose answers were lost and whose tickets were not found.
    pub(super) lost: u32,
}

impl Item {
    /// An item that has not been sent yet.
    pub(crate) fn new(item: ItemRef, seed: u64, max_wait: Duration) -> Self {
        let id = u64::try_from(item.id.get()).unwrap_or_default();
        let turn = if item.kind == ItemKind::MySoftware {
            32
        } else {
            0
        };
        Self {
            subject: item,
            state: State::Queued {
                not_before: Duration::ZERO,
            },
            jitter: Jitter::new(seed ^ id.rotate_left(turn)),
            max_wait,
            pace: Pace::default(),
            imported: None,
            failure: None,
            was_sent: false,
            undeleted: None,
            facts: Vec::new(),
            failed_attempts: 0,
            open_attempts: 0,
            open_error: None,
            upload_attempts: 0,
            attempts: 0,
            renewals: 0,
            unresolved: 0,
            lost: 0,
        }
    }

    /// Resumes from what an interrupted import recorded.
    pub(crate) fn resumed(mut self, record: &ImportRecord, elapsed: Duration) -> Self {
        self.was_sent = record.was_sent;
        self.pace = Pace::begin(elapsed);
        match (record.ticket, record.upload) {
            (None, _) if record.is_unanswered => {
                self.lost = 1;
                self.state = State::Unanswered { asked: false };
            }
            (None, _) if record.was_sent => self.look_up_before_sending(None, elapsed),
            (None, _) => {}
            (Some(ticket), UploadPhase::None) => self.state = State::Holding { ticket },
            (Some(ticket), UploadPhase::Begun) => {
                self.look_up_before_sending(Some(ticket), elapsed);
            }
            (Some(ticket), UploadPhase::Sent) => self.become_unsure(ticket, elapsed, None),
            (Some(ticket), UploadPhase::Answered) => {
                self.state = State::Waiting {
                    ticket,
                    due: elapsed,
                    asked: false,
                };
            }
        }
        self
    }

    fn look_up_before_sending(&mut self, ticket: Option<ImportTicket>, elapsed: Duration) {
        let words = "an interrupted run sent a part of it, and it could not be sent again";
        self.ask_list(
            ticket,
            Question::SendAgain {
                not_before: elapsed,
                otherwise: Given::of_words(ImportStage::Upload, words),
            },
        );
    }

    pub(crate) fn item(&self) -> ItemRef {
        self.subject
    }

    /// What is to be done at this moment.
    pub(crate) fn next(&self, elapsed: Duration) -> Action {
        match &self.state {
            State::Queued { not_before: due }
            | State::Unsure {
                due, asked: false, ..
            }
            | State::Waiting {
                due, asked: false, ..
            }
            | State::Concluding {
                due, asked: false, ..
            }
            | State::Asking {
                due, asked: false, ..
            }
            | State::LookingUp {
                due, asked: false, ..
            }
            | State::Deleting {
                due, asked: false, ..
            } if *due > elapsed => Action::WaitUntil(*due),
            State::Queued { .. } => Action::Open,
            State::Unanswered { asked: false } => Action::Find,
            State::Holding { ticket } => Action::Upload(*ticket),
            State::Waiting {
                ticket,
                asked: false,
                ..
            } => Action::Poll(*ticket),
            State::Unsure {
                ticket,
                asked: false,
                ..
            }
            | State::Concluding {
                ticket,
                asked: false,
                ..
            }
            | State::Asking {
                ticket,
                asked: false,
                ..
            } => Action::Read(*ticket),
            State::LookingUp { asked: false, .. } => Action::LookUp,
            State::Deleting {
                ticket,
                asked: false,
                ..
            } => Action::Delete(*ticket),
            State::Opening
            | State::Uploading { .. }
            | State::Unanswered { .. }
            | State::Unsure { .. }
            | State::Waiting { .. }
            | State::Concluding { .. }
            | State::Asking { .. }
            | State::LookingUp { .. }
            | State::Deleting { .. } => Action::Busy,
            State::Finished => Action::Finished,
        }
    }

    /// The action that `next` named is under way now.
    pub(crate) fn began(&mut self) {
        match &mut self.state {
            State::Unanswered { asked }
            | State::Unsure { asked, .. }
            | State::Waiting { asked, .. }
            | State::Concluding { asked, .. }
            | State::Asking { asked, .. }
            | State::LookingUp { asked, .. }
            | State::Deleting { asked, .. } => *asked = true,
            State::Queued { .. } => self.state = State::Opening,
            State::Holding { ticket } => self.state = State::Uploading { ticket: *ticket },
            State::Opening | State::Uploading { .. } | State::Finished => {}
        }
    }

    /// Whether it takes one of the slots of `--jobs`.
    pub(crate) fn occupies_job(&self) -> bool {
        match &self.state {
            State::Queued { .. } | State::Finished => false,
            // What was given up may still be at work until its ticket is gone.
            State::Deleting { then, .. } => matches!(then, super::state::Then::SendAgain { .. }),
            State::Opening
            | State::Unanswered { .. }
            | State::Holding { .. }
            | State::Uploading { .. }
            | State::Unsure { .. }
            | State::Waiting { .. }
            | State::Concluding { .. }
            | State::Asking { .. }
            | State::LookingUp { .. } => true,
        }
    }

    /// Whether a request for a ticket may be under way, or its answer was lost: another ticket that appears meanwhile could not be
    /// distinguished from its own.
    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening | State::Unanswered { .. })
    }

    /// Whether it has a ticket to which nothing was sent.
    pub(crate) fn is_holding(&self) -> bool {
        matches!(self.state, State::Holding { .. })
    }

    /// Whether it is there, or is known to have failed.
    pub(crate) fn has_ended(&self) -> bool {
        self.imported.is_some() || self.failure.is_some()
    }

    /// What it was imported as, once it was.
    pub(crate) fn imported(&self) -> Option<MadeObject> {
        self.imported
    }

    pub(crate) fn failure(&self) -> Option<&Given> {
        self.failure.as_ref()
    }

    /// Its ticket that should have been deleted and could not be.
    pub(crate) fn undeleted(&self) -> Option<&(ImportTicket, ApiError)> {
        self.undeleted.as_ref()
    }

    /// The last moment at which the platform's work on it moved on.
    pub(crate) fn progressed_at(&self) -> Duration {
        self.pace.progressed_at()
    }

    /// Failed attempts so far, at least one.
    pub(crate) fn attempts(&self) -> u32 {
        self.failed_attempts.max(1)
    }

    /// Requests for a ticket whose answers were lost and whose tickets were not found.
    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    /// What is to be recorded before the next action.
    pub(crate) fn take_facts(&mut self) -> Vec<ImportFact> {
        std::mem::take(&mut self.facts)
    }

    /// Takes note of what was seen. `others_progressed_at` is when any import of this run last moved on.
    pub(crate) fn observe(
        &mut self,
        seen: Seen,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        match seen {
            Seen::Opened(ticket) => {
                if matches!(self.state, State::Unanswered { .. }) {
                    self.lost = self.lost.saturating_sub(1);
                }
                self.open_attempts = 0;
                self.state = State::Holding { ticket };
            }
            Seen::OpenFailed(error) => {
                self.open_failed(&error, elapsed);
                self.open_error = Some(error);
            }
            Seen::NothingFound => self.open_again(elapsed, "the platform lists none"),
            Seen::CannotFind => {
                self.unresolved += 1;
                self.open_again(elapsed, "nobody can say whether there is one");
            }
            Seen::Uploaded(status) => {
                self.pace = Pace::begin(elapsed);
                self.with_ticket(|item, ticket| {
                    item.see_status(ticket, &status, elapsed, others_progressed_at);
                });
            }
            Seen::UploadFailed { error, sent } => self.upload_failed(&error, sent, elapsed),
            Seen::Damaged(what) => self.with_ticket(|item, ticket| {
                let failure = Given {
                    is_damaged: true,
                    ..Given::of_words(ImportStage::Bag, what)
                };
                item.fail(failure, Some(ticket));
            }),
            Seen::Status(status) => self.with_ticket(|item, ticket| {
                item.attempts = 0;
                item.see_status(ticket, &status, elapsed, others_progressed_at);
            }),
            Seen::StatusFailed(error) => self.status_failed(&error, elapsed, others_progressed_at),
            Seen::Ticket(facts, object) => {
                self.attempts = 0;
                self.see_ticket(&facts, object, elapsed, others_progressed_at);
            }
            Seen::TicketFailed(error) => self.ticket_failed(&error, elapsed),
            Seen::LookedUp(live) => self.looked_up(live, elapsed),
            Seen::LookUpFailed(error) => self.look_up_failed(&error, elapsed),
            Seen::Deleted => self.deleted(),
            Seen::DeleteFailed(error) => self.delete_failed(error, elapsed),
        }
    }

    /// The ticket that is at work for it.
    pub(super) fn current_ticket(&self) -> Option<ImportTicket> {
        match &self.state {
            State::Holding { ticket }
            | State::Uploading { ticket }
            | State::Unsure { ticket, .. }
            | State::Waiting { ticket, .. }
            | State::Concluding { ticket, .. }
            | State::Asking { ticket, .. } => Some(*ticket),
            State::Queued { .. }
            | State::Opening
            | State::Unanswered { .. }
            | State::LookingUp { .. }
            | State::Deleting { .. }
            | State::Finished => None,
        }
    }

    fn with_ticket(&mut self, act: impl FnOnce(&mut Self, ImportTicket)) {
        if let Some(ticket) = self.current_ticket() {
            act(self, ticket);
        }
    }

    /// The wait before a request is sent once more after so many failures, or `None` where it is not worth it.
    pub(super) fn again(&mut self, error: &ApiError, attempts: u32) -> Option<Duration> {
        self.failed_attempts += 1;
        match verdict(error, attempts, &mut self.jitter) {
            Verdict::Again(wait) if self.failed_attempts < Limits::ITEM_ATTEMPTS => Some(wait),
            Verdict::Again(_) | Verdict::GiveUp => None,
        }
    }
}
