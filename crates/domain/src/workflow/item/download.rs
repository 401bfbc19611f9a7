//! Archives that do not arrive, or arrive damaged.

use std::time::Duration;

use super::machine::Item;
use super::state::{Given, ItemFailure, State};
use crate::model::Ticket;
use crate::ports::{ApiError, CheckFailure};
use crate::report::Stage;
use crate::workflow::Limits;
use crate::workflow::pace::Look;
use crate::workflow::retry::backoff;

impl Item {
    pub(super) fn download_failed(&mut self, error: &ApiError, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        let failure = ItemFailure::of_error(Stage::Download, error);
        match error {
            // Some versions let an archive be downloaded only once: a new export is then the only way.
            ApiError::NotFound { status, .. } if *status == 410 || self.sent_downloads > 0 => {
                self.renew(ticket, elapsed, failure);
            }
            ApiError::NotFound { .. } => {
                if !self.look_again(ticket, elapsed) {
                    self.renew(ticket, elapsed, failure);
                }
            }
            ApiError::Refused { .. } | ApiError::Unreadable { .. } | ApiError::NotUForge { .. } => {
                if !self.look_again(ticket, elapsed) {
                    self.give_up_download(ticket, failure);
                }
            }
            _ => {
                self.sent_downloads += u32::from(may_have_been_sent(error));
                match self.again(error) {
                    Some(wait) => {
                        self.state = State::Ready {
                            ticket,
                            not_before: elapsed + wait,
                        }
                    }
                    None => self.give_up_download(ticket, failure),
                }
            }
        }
    }

    /// `complete` may come a moment before the archive can be fetched: the status is asked for again, and what it says then
    /// decides. `false` where that has been tried often enough.
    fn look_again(&mut self, ticket: Ticket, elapsed: Duration) -> bool {
        self.failed_attempts += 1;
        self.refused_although_complete += 1;
        let since = *self.refused_since.get_or_insert(elapsed);
        let is_over = self.refused_although_complete >= Limits::PATIENT_ATTEMPTS
            || self.failed_attempts >= Limits::ITEM_ATTEMPTS
            || elapsed.saturating_sub(since) >= self.max_wait;
        if is_over {
            return false;
        }
        let wait = backoff(self.refused_although_complete, &mut self.jitter)
            .max(Limits::EARLY_PAUSE * self.refused_although_complete);
        self.state = State::Waiting {
            ticket,
            look: Look::at(elapsed + wait),
        };
        true
    }

    pub(super) fn archive_damaged(&mut self, damage: &CheckFailure, elapsed: Duration) {
        let Some(ticket) = self.current_ticket() else {
            return;
        };
        let failure = ItemFailure::of_words(
            Stage::Download,
            &format!("{damage}, also when downloaded again"),
        );
        if *damage == (CheckFailure::Truncated { received: 0 }) {
            if !self.look_again(ticket, elapsed) {
                self.renew(ticket, elapsed, failure);
            }
            return;
        }
        self.failed_attempts += 1;
        self.damaged += 1;
        self.sent_downloads += 1;
        if self.failed_attempts >= Limits::ITEM_ATTEMPTS {
            self.give_up_download(ticket, failure);
        } else if self.damaged < Limits::DAMAGED_DOWNLOADS {
            let wait = backoff(self.damaged, &mut self.jitter);
            self.state = State::Ready {
                ticket,
                not_before: elapsed + wait,
            };
        } else {
            self.renew(ticket, elapsed, failure);
        }
    }

    /// Asks for a new export in place of a ticket that is of no more use, where that may still help. The old ticket is deleted
    /// first: an item never has more than one on the platform.
    pub(super) fn renew(&mut self, ticket: Ticket, elapsed: Duration, otherwise: ItemFailure) {
        self.failed_attempts += 1;
        if self.renewals >= Limits::RENEWALS || self.failed_attempts >= Limits::ITEM_ATTEMPTS {
            return self.give_up_download(ticket, otherwise);
        }
        self.renewals += 1;
        self.stage_attempts = 0;
        let wait = backoff(self.renewals, &mut self.jitter);
        self.give_up(
            ticket,
            Given::Replaced {
                not_before: elapsed + wait,
                otherwise,
            },
        );
    }

    /// A ticket whose archive may be on the server but not with us is left there.
    pub(super) fn give_up_download(&mut self, ticket: Ticket, failure: ItemFailure) {
        self.give_up(ticket, Given::Left(failure));
    }
}

/// Whether the server may count the archive as downloaded.
fn may_have_been_sent(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::NoAnswer { sent: true, .. }
            | ApiError::Interrupted { .. }
            | ApiError::Stalled { .. }
    )
}
