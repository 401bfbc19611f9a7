//! Waiting for the platform: when to look, what counts as progress, when to give up.

use std::time::Duration;

use super::machine::Item;
use super::state::{Deletion, Given, ItemFailure, State};
use crate::model::Ticket;
use crate::ports::{ApiError, ExportState, ExportStatus};
use crate::report::Stage;
use crate::workflow::Limits;
use crate::workflow::pace::in_words;
use crate::workflow::retry::{Verdict, verdict};

impl Item {
    pub(super) fn see_status(
        &mut self,
        ticket: Ticket,
        status: &ExportStatus,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        self.may_run = status.state() == ExportState::Running;
        match status.state() {
            ExportState::Complete => {
                self.stage_attempts = 0;
                self.progressed_at = elapsed;
                self.state = State::Ready {
                    ticket,
                    not_before: Duration::ZERO,
                };
            }
            ExportState::Error => self.fail(
                ItemFailure::of_status("the platform could not export it", status),
                Some((ticket, Deletion::Empty)),
            ),
            ExportState::Cancelled => {
                self.fail(
                    ItemFailure::of_status("the export was cancelled on the platform", status),
                    Some((ticket, Deletion::Empty)),
                );
            }
            ExportState::Running => {
                self.note_progress(status, elapsed);
                self.wait_on(ticket, elapsed, others_progressed_at);
            }
        }
    }

    /// Only a new maximum within its bounds is progress: a figure that goes to and fro would keep a dead export alive for ever.
    pub(super) fn note_progress(&mut self, status: &ExportStatus, elapsed: Duration) {
        let percent = status.percentage.unwrap_or(0).min(100);
        let bytes = status
            .bytes_loaded
            .unwrap_or(0)
            .min(status.bytes_total.unwrap_or(0));
        if percent > self.best_percent || bytes > self.best_bytes {
            self.best_percent = self.best_percent.max(percent);
            self.best_bytes = self.best_bytes.max(bytes);
            self.progressed = true;
            self.progressed_at = elapsed;
        }
    }

    pub(super) fn wait_on(
        &mut self,
        ticket: Ticket,
        elapsed: Duration,
        others_progressed_at: Duration,
    ) {
        let since = if self.progressed {
            self.progressed_at
        } else {
            self.progressed_at.max(others_progressed_at)
        };
        // An export that never moved may only be waiting for another one: it is given up later than that one.
        let grace = if self.progressed {
            Duration::ZERO
        } else {
            Limits::POLL_PAUSE.1
        };
        let allowed = self.max_wait + grace;
        if elapsed.saturating_sub(since) >= allowed {
            let failure = ItemFailure::of_words(
                Stage::Wait,
                &format!(
                    "the platform's export made no progress for {} and was given up (`--max-wait` allows more)",
                    in_words(self.max_wait)
                ),
            );
            if self.progressed {
                // It ran, and its place on the platform is free now: exports that waited for it get their time.
                self.progressed_at = elapsed;
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
        let deadline = since + allowed;
        self.state = State::Waiting {
            ticket,
            due: (elapsed + self.pause(elapsed)).min(deadline),
        };
    }

    /// Short at first and near the expected end, longer the longer nothing moves: the wait after the platform is done stays below
    /// a tenth of the time that it took.
    pub(super) fn pause(&self, elapsed: Duration) -> Duration {
        let age = elapsed.saturating_sub(self.ticket_since);
        let still = elapsed.saturating_sub(self.progressed_at);
        let expected = u32::try_from(self.best_percent)
            .ok()
            .filter(|percent| (1..100).contains(percent))
            .map_or(age, |percent| age * (100 - percent) / percent / 2);
        let (shortest, longest) = Limits::POLL_PAUSE;
        (still / 10)
            .max(expected.min(age / 10))
            .clamp(shortest, longest)
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
                if elapsed.saturating_sub(self.progressed_at.max(others_progressed_at))
                    < self.max_wait =>
            {
                self.state = State::Waiting {
                    ticket,
                    due: elapsed + wait,
                };
            }
            Verdict::Again(_) | Verdict::GiveUp => {
                self.failed_attempts += self.poll_failures;
                self.give_up_download(ticket, ItemFailure::of_error(Stage::Wait, error));
            }
        }
    }
}
