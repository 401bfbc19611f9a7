//! Where a run stands and how fast it goes: pure, so that a screen can be tested without one.

use std::collections::VecDeque;
use std::time::Duration;

use domain::ports::Event;
use domain::progress::RunProgress;

/// Rates are taken over this long: shorter flickers, longer lags.
const RATE_WINDOW: Duration = Duration::from_secs(8);
const SAMPLE_EVERY: Duration = Duration::from_millis(500);
/// An estimate from less than this is a guess.
const ESTIMATE_AFTER: Duration = Duration::from_secs(4);

/// The progress of a run, and what only time shows of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    pub(super) progress: RunProgress,
    planned_at: Duration,
    samples: VecDeque<(Duration, u64)>,
}

impl Board {
    /// Applies an event.
    pub(super) fn observe(&mut self, event: &Event, now: Duration) {
        if matches!(event, Event::Planned { .. }) {
            self.planned_at = now;
        }
        self.progress.apply(event);
    }

    /// Lets time pass: rates are measured here.
    pub(super) fn tick(&mut self, now: Duration) {
        let due = self
            .samples
            .back()
            .is_none_or(|(at, _)| now.saturating_sub(*at) >= SAMPLE_EVERY);
        if due {
            self.samples
                .push_back((now, self.progress.received_bytes()));
        }
        while self
            .samples
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) > RATE_WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes a second, lately.
    pub(super) fn rate(&self) -> Option<u64> {
        let ((first, before), (last, after)) = (self.samples.front()?, self.samples.back()?);
        let millis = u64::try_from(last.saturating_sub(*first).as_millis()).ok()?;
        let moved = after.saturating_sub(*before);
        (millis >= 1000 && moved > 0).then(|| moved.saturating_mul(1000) / millis)
    }

    /// How long the rest may take.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let progress = &self.progress;
        let planned = progress.planned_items()?;
        let spent = now.saturating_sub(self.planned_at);
        // What an earlier run fetched took this one no time.
        let resumed = progress.resumed_items;
        let whole = planned.saturating_sub(resumed) * 1000;
        let done = (progress.thousandths() * planned).saturating_sub(resumed * 1000);
        if spent < ESTIMATE_AFTER || done * 20 < whole || done >= whole {
            return None;
        }
        let millis = u64::try_from(spent.as_millis()).ok()?;
        Some(Duration::from_millis(
            millis.checked_mul(whole - done)?.checked_div(done)?,
        ))
    }
}
