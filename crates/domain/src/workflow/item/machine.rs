//! The machine itself: what is to be done at a moment, and how each answer moves it on.

use std::time::Duration;

use super::state::{Action, Deletion, Given, ItemFailure, Others, Seen, State};
use crate::model::{ItemKind, ItemRef, Ticket};
use crate::ports::{ApiError, Receipt};
use crate::workflow::Limits;
use crate::workflow::pace::{Look, Pace};
use crate::workflow::retry::{Jitter, Verdict, verdict};
use crate::workflow::usual::Took;

/// One item and how far its export is.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(super) subject: ItemRef,
    pub(super) state: State,
    pub(super) jitter: Jitter,
    pub(super) max_wait: Duration,
    pub(super) keep_tickets: bool,
    pub(super) receipt: Option<Receipt>,
    pub(super) failure: Option<ItemFailure>,
    /// Older tickets of this item, besides the current one.
    pub(super) replaced: Vec<Ticket>,
    /// Whether the platform may still work on the current ticket.
    pub(super) may_run: bool,
    /// How often the server may have sent the current ticket's archive, in whole or in part.
    pub(super) sent_downloads: u32,
    /// Downloads of the current ticket that were refused although its status was `complete`.
    pub(super) refused_although_complete: u32,
    /// When the first of them was.
    pub(super) refused_since: Option<Duration>,
    pub(super) undeleted: Vec<(Ticket, ApiError)>,
    /// Tickets whose bytes are not safe before the bag is finished.
    pub(super) delete_after_finish: Vec<Ticket>,
    pub(super) unresolved: u32,
    pub(super) failed_attempts: u32,
    /// Starts that were refused while the platform was at work on others of this run: they use nothing up.
    pub(super) refused_meanwhile: u32,
    pub(super) stage_attempts: u32,
    pub(super) poll_failures: u32,
    pub(super) damaged: u32,
    pub(super) renewals: u32,
    pub(super) lost_starts: u32,
    /// What the last start that failed came to.
    pub(super) start_error: Option<ApiError>,
    pub(super) waits_for_slot: bool,
    /// How the export of the current ticket moves on.
    pub(super) pace: Pace,
    /// How long the export of the current ticket took, where it was watched from its start to its end.
    pub(super) took: Option<Took>,
    /// The last age at which it was seen to run, where it was watched from its start.
    pub(super) ran_at: Option<Duration>,
}

impl Item {
    /// An item that has not been asked for yet.
    pub(crate) fn new(item: ItemRef, seed: u64, max_wait: Duration, keep_tickets: bool) -> Self {
        let id = u64::try_from(item.id.get()).unwrap_or_default();
        Self {
            subject: item,
            state: State::Queued {
                not_before: Duration::ZERO,
            },
            jitter: Jitter::new(
                seed ^ id.rotate_left(if item.kind == ItemKind::MySoftware {
                    32
                } else {
                    0
                }),
            ),
            max_wait,
            keep_tickets,
            receipt: None,
            failure: None,
            replaced: Vec::new(),
            may_run: false,
            sent_downloads: 0,
            refused_although_complete: 0,
            refused_since: None,
            undeleted: Vec::new(),
            delete_after_finish: Vec::new(),
            unresolved: 0,
            failed_attempts: 0,
            refused_meanwhile: 0,
            stage_attempts: 0,
            poll_failures: 0,
            damaged: 0,
            renewals: 0,
            lost_starts: 0,
            start_error: None,
            waits_for_slot: false,
            pace: Pace::default(),
            took: None,
            ran_at: None,
        }
    }

    /// Resumes with tickets that an interrupted run asked for, newest last.
    pub(crate) fn with_tickets(mut self, mut tickets: Vec<Ticket>, elapsed: Duration) -> Self {
        if let Some(newest) = tickets.pop() {
            self.replaced = tickets;
            self.adopt(newest, elapsed);
        }
        self
    }

    /// Resumes where a start was sent and its answer never read.
    pub(crate) fn with_lost_start(mut self) -> Self {
        self.lost_starts = 1;
        self.state = State::Unanswered { asked: false };
        self
    }

    /// Resumes with an archive that is in the bag already and tickets that may still be on the server.
    pub(crate) fn with_receipt(mut self, receipt: Receipt, tickets: Vec<Ticket>) -> Self {
        self.replaced = tickets;
        self.store(receipt, None);
        self
    }

    /// A start was sent besides, and its answer never read.
    pub(crate) fn with_unanswered_start(mut self) -> Self {
        self.lost_starts += 1;
        self
    }

    pub(crate) fn item(&self) -> ItemRef {
        self.subject
    }

    /// What is to be done at this moment.
    pub(crate) fn next(&self, elapsed: Duration) -> Action {
        match &self.state {
            State::Queued { not_before, .. }
            | State::Ready { not_before, .. }
            | State::Cancelling {
                sent: false,
                not_before,
                ..
            }
            | State::Replacing {
                sent: false,
                not_before,
                ..
            }
            | State::Deleting {
                sent: false,
                not_before,
                ..
            } if *not_before > elapsed => Action::WaitUntil(*not_before),
            State::Queued { .. } => Action::Start,
            State::Unanswered { asked: false } => Action::FindTicket,
            State::Waiting { look, .. } if look.due > elapsed => Action::WaitUntil(look.due),
            State::Waiting { ticket, .. } => Action::Poll(*ticket),
            State::Ready { ticket, .. } => Action::Download(*ticket),
            State::Cancelling {
                ticket,
                sent: false,
                ..
            } => Action::Cancel(*ticket),
            State::Replacing {
                ticket,
                sent: false,
                ..
            } => Action::Delete(*ticket, Deletion::Replaced),
            State::Deleting {
                sent: false, queue, ..
            } => match queue.first() {
                Some((ticket, why)) => Action::Delete(*ticket, why.clone()),
                None => Action::Finished,
            },
            State::Starting
            | State::Unanswered { .. }
            | State::Polling { .. }
            | State::Downloading { .. }
            | State::Cancelling { .. }
            | State::Replacing { .. }
            | State::Deleting { .. } => Action::Busy,
            State::Finished => Action::Finished,
        }
    }

    /// The ticket whose status it waits for, and when it is to be asked for.
    pub(crate) fn waits_for(&self) -> Option<(Ticket, Look)> {
        match &self.state {
            State::Waiting { ticket, look } => Some((*ticket, *look)),
            _ => None,
        }
    }

    /// The action that `next` named is under way now; or the status that it waits for was asked for together with others.
    pub(crate) fn began(&mut self, elapsed: Duration) {
        match &mut self.state {
            State::Cancelling { sent, .. }
            | State::Replacing { sent, .. }
            | State::Deleting { sent, .. } => *sent = true,
            State::Unanswered { asked } => *asked = true,
            State::Queued { .. } => {
                self.waits_for_slot = false;
                self.state = State::Starting;
            }
            State::Waiting { ticket, .. } => {
                self.state = State::Polling {
                    ticket: *ticket,
                    asked_at: elapsed,
                }
            }
            State::Ready { ticket, .. } => self.state = State::Downloading { ticket: *ticket },
            State::Starting
            | State::Polling { .. }
            | State::Downloading { .. }
            | State::Finished => {}
        }
    }

    /// Whether its start waits until the platform may work on one more export. Its place among those of `--jobs` is its own.
    pub(crate) fn waits_for_slot(&self) -> bool {
        self.waits_for_slot
    }

    /// Whether the platform may be working on it: it takes one of the slots of `--jobs`. A ticket that was given up keeps its slot
    /// until the platform has answered that it stopped, or the attempts to stop it are over.
    pub(crate) fn occupies_job(&self) -> bool {
        match self.state {
            State::Starting
            | State::Unanswered { .. }
            | State::Waiting { .. }
            | State::Polling { .. }
            | State::Cancelling { .. } => true,
            State::Replacing { .. } | State::Deleting { .. } => self.may_run,
            State::Queued { .. } => self.waits_for_slot,
            State::Ready { .. } | State::Downloading { .. } | State::Finished => false,
        }
    }

    /// Whether its archive is complete on the server and not being fetched.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// Whether its archive is being fetched.
    pub(crate) fn is_downloading(&self) -> bool {
        matches!(self.state, State::Downloading { .. })
    }

    pub(crate) fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// Hands the receipt over, once the item is finished.
    pub(crate) fn take_receipt(&mut self) -> Option<Receipt> {
        self.receipt.take()
    }

    /// Hands over the tickets that are to be deleted once the bag is finished.
    pub(crate) fn take_delete_after_finish(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.delete_after_finish)
    }

    pub(crate) fn failure(&self) -> Option<&ItemFailure> {
        self.failure.as_ref()
    }

    /// Tickets that could not be deleted although they should have been.
    pub(crate) fn undeleted(&self) -> &[(Ticket, ApiError)] {
        &self.undeleted
    }

    /// How much of it is given up: its archive, and tickets that could not be deleted.
    pub(crate) fn given_up(&self) -> usize {
        let archive = match &self.state {
            State::Cancelling { given, .. } => !matches!(given, Given::Replaced { .. }),
            _ => self.failure.is_some(),
        };
        usize::from(archive) + self.undeleted.len()
    }

    /// Failed attempts so far, at least one: for the report of a failure.
    pub(crate) fn attempts(&self) -> u32 {
        self.failed_attempts
            .saturating_add(self.refused_meanwhile)
            .max(1)
    }

    /// Starts whose answer was lost and whose tickets were not found.
    pub(crate) fn lost_starts(&self) -> u32 {
        self.lost_starts
    }

    /// Whether the platform may be at work on its export.
    pub(crate) fn is_at_work(&self) -> bool {
        self.may_run && matches!(self.state, State::Waiting { .. } | State::Polling { .. })
    }

    /// The last moment at which the platform's work on it moved on.
    pub(crate) fn progressed_at(&self) -> Duration {
        self.pace.progressed_at()
    }

    /// How long its export took, once it has ended with an archive; given once.
    pub(crate) fn take_duration(&mut self) -> Option<Took> {
        self.took.take()
    }

    /// Takes note of what was seen.
    pub(crate) fn observe(&mut self, seen: Seen, elapsed: Duration, others: Others) {
        match seen {
            Seen::Started { ticket, status, at } => {
                self.adopt(ticket, at);
                self.ran_at = Some(Duration::ZERO);
                self.see_status(ticket, &status, elapsed, others);
            }
            Seen::NotYet => {
                self.waits_for_slot = true;
                self.state = State::Queued {
                    not_before: elapsed + Limits::SLOT_PAUSE,
                };
            }
            Seen::StartFailed(error) => {
                self.start_failed(&error, elapsed, others.are_at_work);
                self.start_error = Some(error);
            }
            Seen::Found(tickets) => self.found(tickets, elapsed),
            Seen::CannotFind(why) => self.cannot_find(&why, elapsed),
            Seen::Status(status) => {
                if let State::Polling { ticket, .. } | State::Waiting { ticket, .. } = self.state {
                    self.poll_failures = 0;
                    self.see_status(ticket, &status, elapsed, others);
                }
            }
            Seen::StatusFailed(error) => self.status_failed(&error, elapsed, others.progressed_at),
            Seen::Stored(receipt) => {
                let ticket = self.current_ticket();
                self.store(receipt, ticket);
            }
            Seen::DownloadFailed(error) => self.download_failed(&error, elapsed),
            Seen::Damaged(failure) => self.archive_damaged(&failure, elapsed),
            Seen::Cancelled => self.cancelled(),
            Seen::CancelFailed(error) => self.cancel_failed(&error, elapsed),
            Seen::Deleted(ticket) => self.deleted(ticket),
            Seen::DeleteFailed(ticket, error) => self.delete_failed(ticket, &error, elapsed),
        }
    }

    /// The ticket that its archive is expected from, as long as it can still come.
    pub(crate) fn current_ticket(&self) -> Option<Ticket> {
        match &self.state {
            State::Waiting { ticket, .. }
            | State::Polling { ticket, .. }
            | State::Ready { ticket, .. }
            | State::Downloading { ticket }
            | State::Cancelling { ticket, .. } => Some(*ticket),
            State::Queued { .. }
            | State::Starting
            | State::Unanswered { .. }
            | State::Replacing { .. }
            | State::Deleting { .. }
            | State::Finished => None,
        }
    }

    pub(super) fn adopt(&mut self, ticket: Ticket, elapsed: Duration) {
        self.state = State::Waiting {
            ticket,
            look: Look::at(elapsed),
        };
        self.stage_attempts = 0;
        self.poll_failures = 0;
        self.damaged = 0;
        self.may_run = true;
        self.sent_downloads = 0;
        self.refused_although_complete = 0;
        self.refused_since = None;
        self.pace = Pace::begin(elapsed);
        self.took = None;
        self.ran_at = None;
    }

    /// Counts a failed attempt; the wait before the next one, or `None` where there is to be none.
    pub(super) fn again(&mut self, error: &ApiError) -> Option<Duration> {
        self.failed_attempts += 1;
        self.stage_attempts += 1;
        match verdict(error, self.stage_attempts, &mut self.jitter) {
            Verdict::Again(wait) if self.failed_attempts < Limits::ITEM_ATTEMPTS => Some(wait),
            Verdict::Again(_) | Verdict::GiveUp => None,
        }
    }
}
