//! One item's way home as a machine over values: no ports, no `async`, time as an argument.
//!
//! ```text
//! queued → starting → waiting ⇄ polling → ready → downloading → stored → deleting → done
//!             │ ↺        │          ↑       ↑ ↓ ↺
//!          doubtful   stalled     refused  damaged              any → failed
//!                        ↓                  ↓
//!                    cancelling → replacing → queued
//! ```
//!
//! The machine never lets a ticket be deleted whose archive could still be had and is not safe: see [`Deletion`].

mod download;
mod ending;
mod start;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use start::start_may_have_worked;

use std::time::Duration;

use super::Limits;
use super::retry::{Jitter, Verdict, verdict};
use crate::model::{ItemKind, ItemRef, Ticket};
use crate::ports::{ApiError, CheckFailure, ExportStatus, Receipt};
use crate::report::{ItemStatus, Stage};

/// Why a ticket may be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Its archive is whole and on disk.
    Safe(Box<Receipt>),
    /// It ended, or was stopped by us, without an archive.
    Empty,
    /// Its archive could not be had, and another ticket of the same item takes its place.
    Replaced,
}

/// What follows once a ticket has been given up, and the platform has been told to stop its work on it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    /// The item is lost. The ticket has no archive and is deleted.
    Empty(Loss),
    /// The item is lost. The ticket may have an archive: it is left on the platform and named.
    Left(Loss),
    /// The ticket is deleted, then a new export is asked for; `otherwise` where it cannot be deleted.
    Replaced {
        not_before: Duration,
        otherwise: Loss,
    },
}

/// What an item wants to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask the platform for an export.
    Start,
    /// The answer to a start was lost: look for its ticket among those that lie on the server.
    FindTicket,
    /// Ask for the ticket's status.
    Poll(Ticket),
    /// Download the ticket's archive.
    Download(Ticket),
    /// Stop the platform's work on the ticket.
    Cancel(Ticket),
    /// Delete the ticket.
    Delete(Ticket, Deletion),
    /// Nothing until this moment.
    WaitUntil(Duration),
    /// Something is under way.
    Busy,
    /// Nothing more.
    Finished,
}

/// What was seen of an item.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The start was answered with a ticket.
    Started(Ticket, ExportStatus),
    /// The start failed.
    StartFailed(ApiError),
    /// The tickets of lost starts, newest last; there may be none.
    Found(Vec<Ticket>),
    /// Nobody can say what became of the lost start.
    CannotFind,
    /// The ticket's status.
    Status(ExportStatus),
    /// The status could not be had.
    StatusFailed(ApiError),
    /// The archive is in the bag.
    Stored(Receipt),
    /// The archive did not arrive.
    DownloadFailed(ApiError),
    /// The archive arrived, and is not whole.
    Damaged(CheckFailure),
    /// The platform was asked to stop, and has answered.
    Cancelled,
    /// The platform was asked to stop, and gave no answer that counts.
    CancelFailed(ApiError),
    /// The ticket is gone.
    Deleted(Ticket),
    /// The ticket could not be deleted.
    DeleteFailed(Ticket, ApiError),
}

/// What became of an item that is not in the bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) stage: Stage,
    pub(crate) http_status: Option<u16>,
    pub(crate) message: String,
    pub(crate) status: ItemStatus,
}

#[derive(Clone, Debug)]
enum State {
    Queued {
        not_before: Duration,
    },
    Starting,
    Doubtful {
        asked: bool,
    },
    Waiting {
        ticket: Ticket,
        due: Duration,
    },
    Polling {
        ticket: Ticket,
    },
    Ready {
        ticket: Ticket,
        not_before: Duration,
    },
    Downloading {
        ticket: Ticket,
    },
    /// Given up while the platform may still work on it.
    Cancelling {
        ticket: Ticket,
        sent: bool,
        attempts: u32,
        not_before: Duration,
        given: Given,
    },
    /// Deleted before a new export is asked for.
    Replacing {
        ticket: Ticket,
        sent: bool,
        attempts: u32,
        not_before: Duration,
        start_at: Duration,
        otherwise: Loss,
    },
    Deleting {
        queue: Vec<(Ticket, Deletion)>,
        sent: bool,
        attempts: u32,
        not_before: Duration,
    },
    Finished,
}

/// One item on its way.
#[derive(Debug)]
pub(crate) struct Item {
    subject: ItemRef,
    state: State,
    jitter: Jitter,
    max_wait: Duration,
    keep_tickets: bool,
    receipt: Option<Receipt>,
    loss: Option<Loss>,
    /// Older tickets of this item, besides the current one.
    replaced: Vec<Ticket>,
    /// Whether the platform may still work on the current ticket.
    may_run: bool,
    /// How often the server may have sent the current ticket's archive, in whole or in part.
    sent_downloads: u32,
    /// Refused downloads of the current ticket although its status was `complete`, and since when.
    early: u32,
    early_since: Option<Duration>,
    undeleted: Vec<(Ticket, ApiError)>,
    doubts: u32,
    failed_attempts: u32,
    stage_attempts: u32,
    poll_failures: u32,
    damaged: u32,
    renewals: u32,
    lost_starts: u32,
    ticket_since: Duration,
    best_percent: i64,
    best_bytes: i64,
    moved: bool,
    moved_at: Duration,
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
            loss: None,
            replaced: Vec::new(),
            may_run: false,
            sent_downloads: 0,
            early: 0,
            early_since: None,
            undeleted: Vec::new(),
            doubts: 0,
            failed_attempts: 0,
            stage_attempts: 0,
            poll_failures: 0,
            damaged: 0,
            renewals: 0,
            lost_starts: 0,
            ticket_since: Duration::ZERO,
            best_percent: 0,
            best_bytes: 0,
            moved: false,
            moved_at: Duration::ZERO,
        }
    }

    /// Goes on with tickets that an interrupted run asked for, newest last.
    pub(crate) fn with_tickets(mut self, mut tickets: Vec<Ticket>, elapsed: Duration) -> Self {
        if let Some(newest) = tickets.pop() {
            self.replaced = tickets;
            self.adopt(newest, elapsed);
        }
        self
    }

    /// Goes on where a start was sent and its answer never read.
    pub(crate) fn with_lost_start(mut self) -> Self {
        self.lost_starts = 1;
        self.state = State::Doubtful { asked: false };
        self
    }

    /// Goes on with an archive that is in the bag already and tickets that may still be on the server.
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
            State::Doubtful { asked: false } => Action::FindTicket,
            State::Waiting { due, .. } if *due > elapsed => Action::WaitUntil(*due),
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
            | State::Doubtful { .. }
            | State::Polling { .. }
            | State::Downloading { .. }
            | State::Cancelling { .. }
            | State::Replacing { .. }
            | State::Deleting { .. } => Action::Busy,
            State::Finished => Action::Finished,
        }
    }

    /// The action that `next` named is under way now.
    pub(crate) fn began(&mut self) {
        match &mut self.state {
            State::Cancelling { sent, .. }
            | State::Replacing { sent, .. }
            | State::Deleting { sent, .. } => *sent = true,
            State::Doubtful { asked } => *asked = true,
            State::Queued { .. } => self.state = State::Starting,
            State::Waiting { ticket, .. } => self.state = State::Polling { ticket: *ticket },
            State::Ready { ticket, .. } => self.state = State::Downloading { ticket: *ticket },
            State::Starting
            | State::Polling { .. }
            | State::Downloading { .. }
            | State::Finished => {}
        }
    }

    /// Whether the platform may be working on it: it takes one of the slots of `--jobs`. A ticket that was given up takes its
    /// slot until the platform has answered that it stopped.
    pub(crate) fn occupies_job(&self) -> bool {
        match self.state {
            State::Starting
            | State::Doubtful { .. }
            | State::Waiting { .. }
            | State::Polling { .. }
            | State::Cancelling { .. } => true,
            State::Replacing { .. } | State::Deleting { .. } => self.may_run,
            State::Queued { .. }
            | State::Ready { .. }
            | State::Downloading { .. }
            | State::Finished => false,
        }
    }

    /// Whether its archive lies complete on the server and is not being fetched.
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

    pub(crate) fn loss(&self) -> Option<&Loss> {
        self.loss.as_ref()
    }

    /// Tickets that could not be deleted although they should have been.
    pub(crate) fn undeleted(&self) -> &[(Ticket, ApiError)] {
        &self.undeleted
    }

    /// Failed attempts so far, and the one that is told about.
    pub(crate) fn attempts(&self) -> u32 {
        self.failed_attempts.max(1)
    }

    /// Starts whose answer was lost and whose tickets were not found.
    pub(crate) fn lost_starts(&self) -> u32 {
        self.lost_starts
    }

    /// The last moment at which the platform's work on it moved on.
    pub(crate) fn moved_at(&self) -> Duration {
        self.moved_at
    }

    /// Takes note of what was seen. `others_moved_at` is when any export of this run last moved on: a platform that works on one
    /// export at a time holds the others up, and that is no reason to give them up.
    pub(crate) fn observe(&mut self, seen: Seen, elapsed: Duration, others_moved_at: Duration) {
        match seen {
            Seen::Started(ticket, status) => {
                self.adopt(ticket, elapsed);
                self.see_status(ticket, &status, elapsed, others_moved_at);
            }
            Seen::StartFailed(error) => self.start_failed(&error, elapsed),
            Seen::Found(tickets) => self.found(tickets, elapsed),
            Seen::CannotFind => self.cannot_find(elapsed),
            Seen::Status(status) => {
                if let State::Polling { ticket } | State::Waiting { ticket, .. } = self.state {
                    self.poll_failures = 0;
                    self.see_status(ticket, &status, elapsed, others_moved_at);
                }
            }
            Seen::StatusFailed(error) => self.status_failed(&error, elapsed, others_moved_at),
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
            | State::Polling { ticket }
            | State::Ready { ticket, .. }
            | State::Downloading { ticket }
            | State::Cancelling { ticket, .. } => Some(*ticket),
            State::Queued { .. }
            | State::Starting
            | State::Doubtful { .. }
            | State::Replacing { .. }
            | State::Deleting { .. }
            | State::Finished => None,
        }
    }

    fn adopt(&mut self, ticket: Ticket, elapsed: Duration) {
        self.state = State::Waiting {
            ticket,
            due: elapsed,
        };
        self.stage_attempts = 0;
        self.poll_failures = 0;
        self.damaged = 0;
        self.may_run = true;
        self.sent_downloads = 0;
        self.early = 0;
        self.early_since = None;
        self.ticket_since = elapsed;
        self.moved_at = elapsed;
        self.moved = false;
        self.best_percent = 0;
        self.best_bytes = 0;
    }

    /// Counts a failed attempt; the wait before the next one, or `None` where there is to be none.
    fn again(&mut self, error: &ApiError) -> Option<Duration> {
        self.failed_attempts += 1;
        self.stage_attempts += 1;
        match verdict(error, self.stage_attempts, &mut self.jitter) {
            Verdict::Again(wait) if self.failed_attempts < Limits::ITEM_ATTEMPTS => Some(wait),
            Verdict::Again(_) | Verdict::GiveUp => None,
        }
    }
}
