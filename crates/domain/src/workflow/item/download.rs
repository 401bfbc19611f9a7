//! Archives that do not arrive, or arrive damaged.

use std::time::Duration;

use super::{Item, Loss, State};
use crate::model::Ticket;
use crate::ports::{ApiError, CheckFailure};
use crate::report::Stage;
use crate::workflow::Limits;
use crate::workflow::retry::backoff;

impl Item {
    pub(super) fn download_failed(&mut self, error: &ApiError, elapsed: Duration) {
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

    pub(super) fn archive_damaged(&mut self, failure: &CheckFailure, elapsed: Duration) {
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
    pub(super) fn renew(&mut self, ticket: Ticket, elapsed: Duration, otherwise: Loss) {
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

    /// A ticket whose archive is on the server but not with us is left there.
    pub(super) fn give_up_download(&mut self, ticket: Ticket, loss: Loss) {
        self.replaced.push(ticket);
        self.lose(loss, None);
    }
}
