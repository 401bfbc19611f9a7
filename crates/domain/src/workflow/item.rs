//! One item's way home as a machine over values: no ports, no `async`, time as an argument.
//!
//! ```text
//! queued → starting → waiting ⇄ polling → ready → downloading → stored → deleting → done
//!             │ ↺        │                  ↑ ↓ ↺
//!          doubtful   stalled → cancelling  renewing            any → failed
//! ```
//!
//! The machine never lets a ticket be deleted whose archive could still be had and is not safe: see [`Deletion`].

use std::time::Duration;

use super::Limits;
use super::retry::{Jitter, Verdict, backoff, verdict};
use crate::model::{ItemKind, ItemRef, Ticket};
use crate::ports::{ApiError, CheckFailure, ExportState, ExportStatus, Receipt};
use crate::report::{ItemStatus, Stage};

/// Why a ticket may be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Its archive is whole and on disk.
    Safe(Box<Receipt>),
    /// It ended, or was stopped by us, without an archive.
    Empty,
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
    CannotFind(String),
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
    /// The platform was told to stop; whether it listened does not matter.
    Cancelled,
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
    Cancelling {
        ticket: Ticket,
        sent: bool,
        loss: Loss,
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
    /// Tickets of this item that were given up for a newer one.
    replaced: Vec<Ticket>,
    undeleted: Vec<(Ticket, ApiError)>,
    doubts: Vec<String>,
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
            undeleted: Vec::new(),
            doubts: Vec::new(),
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

    pub(crate) fn item(&self) -> ItemRef {
        self.subject
    }

    /// What is to be done at this moment.
    pub(crate) fn next(&self, elapsed: Duration) -> Action {
        match &self.state {
            State::Queued { not_before, .. }
            | State::Ready { not_before, .. }
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
            | State::Deleting { .. } => Action::Busy,
            State::Finished => Action::Finished,
        }
    }

    /// The action that `next` named is under way now.
    pub(crate) fn began(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Finished) {
            State::Queued { .. } => State::Starting,
            State::Doubtful { .. } => State::Doubtful { asked: true },
            State::Waiting { ticket, .. } => State::Polling { ticket },
            State::Ready { ticket, .. } => State::Downloading { ticket },
            State::Cancelling { ticket, loss, .. } => State::Cancelling {
                ticket,
                sent: true,
                loss,
            },
            State::Deleting {
                queue,
                attempts,
                not_before,
                ..
            } => State::Deleting {
                queue,
                sent: true,
                attempts,
                not_before,
            },
            busy @ (State::Starting
            | State::Polling { .. }
            | State::Downloading { .. }
            | State::Finished) => busy,
        };
    }

    /// Whether the platform is working on it: it takes one of the slots of `--jobs`.
    pub(crate) fn occupies_job(&self) -> bool {
        matches!(
            self.state,
            State::Starting
                | State::Doubtful { .. }
                | State::Waiting { .. }
                | State::Polling { .. }
                | State::Cancelling { .. }
        )
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

    /// Doubts that a person should know of.
    pub(crate) fn doubts(&self) -> &[String] {
        &self.doubts
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
            Seen::CannotFind(doubt) => self.cannot_find(doubt, elapsed),
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
            Seen::Cancelled => {
                if let State::Cancelling { ticket, loss, .. } = &self.state {
                    let (ticket, loss) = (*ticket, loss.clone());
                    self.lose(loss, Some(ticket));
                }
            }
            Seen::Deleted(ticket) => self.deleted(ticket),
            Seen::DeleteFailed(ticket, error) => self.delete_failed(ticket, &error, elapsed),
        }
    }

    fn current_ticket(&self) -> Option<Ticket> {
        match &self.state {
            State::Waiting { ticket, .. }
            | State::Polling { ticket }
            | State::Ready { ticket, .. }
            | State::Downloading { ticket }
            | State::Cancelling { ticket, .. } => Some(*ticket),
            State::Queued { .. }
            | State::Starting
            | State::Doubtful { .. }
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

    fn start_failed(&mut self, error: &ApiError, elapsed: Duration) {
        if start_may_have_worked(self.subject.kind, error) {
            self.failed_attempts += 1;
            self.lost_starts += 1;
            self.state = State::Doubtful { asked: false };
            return;
        }
        match self.again(error) {
            Some(wait) => {
                self.state = State::Queued {
                    not_before: elapsed + wait,
                }
            }
            None => self.lose(Loss::of_error(Stage::Start, error), None),
        }
    }

    fn found(&mut self, mut tickets: Vec<Ticket>, elapsed: Duration) {
        let known = u32::try_from(tickets.len()).unwrap_or(u32::MAX);
        self.lost_starts = self.lost_starts.saturating_sub(known);
        if let Some(newest) = tickets.pop() {
            self.replaced.append(&mut tickets);
            self.adopt(newest, elapsed);
        } else {
            self.start_again(
                elapsed,
                "the start was sent several times, and no answer came back",
            );
        }
    }

    fn cannot_find(&mut self, doubt: String, elapsed: Duration) {
        self.doubts.push(doubt);
        self.start_again(elapsed, "the answer to the start was lost again and again, and the platform has no list to look its ticket up in");
    }

    fn start_again(&mut self, elapsed: Duration, otherwise: &str) {
        let often = if self.doubts.is_empty() {
            Limits::ATTEMPTS
        } else {
            Limits::DOUBTFUL_STARTS
        };
        self.stage_attempts += 1;
        if self.stage_attempts < often && self.failed_attempts < Limits::ITEM_ATTEMPTS {
            let wait = backoff(self.stage_attempts, &mut self.jitter);
            self.state = State::Queued {
                not_before: elapsed + wait,
            };
        } else {
            self.lose(Loss::of_words(Stage::Start, otherwise), None);
        }
    }

    fn see_status(
        &mut self,
        ticket: Ticket,
        status: &ExportStatus,
        elapsed: Duration,
        others_moved_at: Duration,
    ) {
        match status.state() {
            ExportState::Complete => {
                self.stage_attempts = 0;
                self.moved_at = elapsed;
                self.state = State::Ready {
                    ticket,
                    not_before: Duration::ZERO,
                };
            }
            ExportState::Error => self.lose(
                Loss::of_status("the platform could not export it", status),
                Some(ticket),
            ),
            ExportState::Cancelled => {
                self.lose(
                    Loss::of_status("the export was cancelled on the platform", status),
                    Some(ticket),
                );
            }
            ExportState::Running => {
                self.note_movement(status, elapsed);
                self.wait_on(ticket, elapsed, others_moved_at);
            }
        }
    }

    /// Only a new maximum within its bounds is progress: a figure that goes to and fro would keep a dead export alive for ever.
    fn note_movement(&mut self, status: &ExportStatus, elapsed: Duration) {
        let percent = status.percentage.unwrap_or(0).min(100);
        let bytes = status
            .bytes_loaded
            .unwrap_or(0)
            .min(status.bytes_total.unwrap_or(0));
        if percent > self.best_percent || bytes > self.best_bytes {
            self.best_percent = self.best_percent.max(percent);
            self.best_bytes = self.best_bytes.max(bytes);
            self.moved = true;
            self.moved_at = elapsed;
        }
    }

    fn wait_on(&mut self, ticket: Ticket, elapsed: Duration, others_moved_at: Duration) {
        let since = if self.moved {
            self.moved_at
        } else {
            self.moved_at.max(others_moved_at)
        };
        if elapsed.saturating_sub(since) >= self.max_wait {
            let loss = Loss::of_words(
                Stage::Wait,
                &format!(
                    "the platform's export made no progress for {} minutes and was given up (`--max-wait` allows more)",
                    self.max_wait.as_secs() / 60
                ),
            );
            self.state = State::Cancelling {
                ticket,
                sent: false,
                loss,
            };
            return;
        }
        let deadline = since + self.max_wait;
        self.state = State::Waiting {
            ticket,
            due: (elapsed + self.pause(elapsed)).min(deadline),
        };
    }

    /// Short at first and near the expected end, longer the longer nothing moves: the wait after the platform is done stays below
    /// a tenth of the time that it took.
    fn pause(&self, elapsed: Duration) -> Duration {
        let age = elapsed.saturating_sub(self.ticket_since);
        let still = elapsed.saturating_sub(self.moved_at);
        let expected = u32::try_from(self.best_percent)
            .ok()
            .filter(|percent| (1..100).contains(percent))
            .map_or(age, |percent| age * (100 - percent) / percent / 2);
        let (shortest, longest) = Limits::POLL_PAUSE;
        (still / 10)
            .max(expected.min(age / 10))
            .clamp(shortest, longest)
    }

    fn status_failed(&mut self, error: &ApiError, elapsed: Duration, others_moved_at: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        if matches!(error, ApiError::NotFound { .. }) {
            return self.renew(ticket, elapsed, Loss::of_error(Stage::Wait, error));
        }
        self.poll_failures += 1;
        match verdict(error, self.poll_failures, &mut self.jitter) {
            Verdict::Again(wait)
                if elapsed.saturating_sub(self.moved_at.max(others_moved_at)) < self.max_wait =>
            {
                self.state = State::Waiting {
                    ticket,
                    due: elapsed + wait,
                };
            }
            Verdict::Again(_) | Verdict::GiveUp => {
                self.failed_attempts += self.poll_failures;
                self.give_up_download(ticket, Loss::of_error(Stage::Wait, error));
            }
        }
    }

    fn download_failed(&mut self, error: &ApiError, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        if matches!(error, ApiError::NotFound { .. }) {
            // Some versions let an archive be downloaded only once: a new export is then the only way.
            return self.renew(ticket, elapsed, Loss::of_error(Stage::Download, error));
        }
        match self.again(error) {
            Some(wait) => {
                self.state = State::Ready {
                    ticket,
                    not_before: elapsed + wait,
                }
            }
            None => self.give_up_download(ticket, Loss::of_error(Stage::Download, error)),
        }
    }

    fn archive_damaged(&mut self, failure: &CheckFailure, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        self.failed_attempts += 1;
        self.damaged += 1;
        let loss = Loss::of_words(
            Stage::Download,
            &format!("{failure}, also when downloaded again"),
        );
        if self.failed_attempts >= Limits::ITEM_ATTEMPTS {
            self.give_up_download(ticket, loss);
        } else if self.damaged < Limits::DAMAGED_DOWNLOADS {
            let wait = backoff(self.damaged, &mut self.jitter);
            self.state = State::Ready {
                ticket,
                not_before: elapsed + wait,
            };
        } else {
            self.renew(ticket, elapsed, loss);
        }
    }

    /// Asks for a new export in place of a ticket that is of no more use, where that may still help.
    fn renew(&mut self, ticket: Ticket, elapsed: Duration, otherwise: Loss) {
        self.failed_attempts += 1;
        if self.renewals >= Limits::RENEWALS || self.failed_attempts >= Limits::ITEM_ATTEMPTS {
            return self.give_up_download(ticket, otherwise);
        }
        self.renewals += 1;
        self.replaced.push(ticket);
        self.stage_attempts = 0;
        let wait = backoff(self.renewals, &mut self.jitter);
        self.state = State::Queued {
            not_before: elapsed + wait,
        };
    }

    /// A ticket whose archive is on the server but not with us is left there, and named.
    fn give_up_download(&mut self, ticket: Ticket, mut loss: Loss) {
        if loss.http_status != Some(404) {
            let left = format!("; its export ticket {} was left on the platform", ticket.id);
            loss.message.push_str(&left);
        }
        self.lose(loss, None);
    }

    fn lose(&mut self, loss: Loss, empty: Option<Ticket>) {
        self.loss = Some(loss);
        let queue = empty
            .map(|ticket| (ticket, Deletion::Empty))
            .into_iter()
            .collect();
        self.begin_deleting(queue);
    }

    fn store(&mut self, receipt: Receipt, ticket: Option<Ticket>) {
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

    fn begin_deleting(&mut self, queue: Vec<(Ticket, Deletion)>) {
        self.state = State::Deleting {
            queue,
            sent: false,
            attempts: 0,
            not_before: Duration::ZERO,
        };
    }

    fn deleted(&mut self, ticket: Ticket) {
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

    fn delete_failed(&mut self, ticket: Ticket, error: &ApiError, elapsed: Duration) {
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

/// Whether a ticket may exist although no answer says so.
pub(crate) fn start_may_have_worked(kind: ItemKind, error: &ApiError) -> bool {
    match error {
        ApiError::NoAnswer { sent, .. } => *sent,
        ApiError::Stalled { .. }
        | ApiError::Interrupted { .. }
        | ApiError::Unreadable { .. }
        | ApiError::NotUForge { .. }
        | ApiError::Overloaded { status: 504, .. } => true,
        // A gateway without a platform behind it. Where looking costs one request, look.
        ApiError::Overloaded { status: 502, .. } => kind == ItemKind::Appliance,
        _ => false,
    }
}

impl Loss {
    fn of_error(stage: Stage, error: &ApiError) -> Self {
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

    fn of_words(stage: Stage, message: &str) -> Self {
        Self {
            stage,
            http_status: None,
            message: message.to_owned(),
            status: ItemStatus::Failed,
        }
    }

    fn of_status(what: &str, status: &ExportStatus) -> Self {
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
