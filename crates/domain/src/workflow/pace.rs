//! How a job of the platform moves on, and when to look at it again: values, time an argument.

use std::time::Duration;

use super::Limits;
use crate::ports::ExportStatus;

/// A duration as a person says it.
pub(crate) fn in_words(time: Duration) -> String {
    let (number, unit) = match time.as_secs() {
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// The movement of one job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    since: Duration,
    best_percent: i64,
    best_bytes: i64,
    progressed: bool,
    progressed_at: Duration,
}

impl Pace {
    /// A job that begins now.
    pub(crate) fn begin(elapsed: Duration) -> Self {
        Self {
            since: elapsed,
            progressed_at: elapsed,
            ..Self::default()
        }
    }

    /// The last moment at which it moved on.
    pub(crate) fn progressed_at(&self) -> Duration {
        self.progressed_at
    }

    /// Whether it ever moved on by itself.
    pub(crate) fn has_progressed(&self) -> bool {
        self.progressed
    }

    /// Something else than a figure of the platform shows that it stands still no longer.
    pub(crate) fn revive(&mut self, elapsed: Duration) {
        self.progressed_at = elapsed;
    }

    /// Only a new maximum within its bounds is progress: a figure that goes to and fro would keep a dead job alive for ever.
    pub(crate) fn note(&mut self, status: &ExportStatus, elapsed: Duration) {
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

    /// Until when it may stand still. A job that never moved may only be waiting for another one, which moved last at
    /// `others_progressed_at`: it is given up later than that one.
    pub(crate) fn deadline(&self, max_wait: Duration, others_progressed_at: Duration) -> Duration {
        if self.progressed {
            self.progressed_at + max_wait
        } else {
            self.progressed_at.max(others_progressed_at) + max_wait + Limits::POLL_PAUSE.1
        }
    }

    /// The time until it is looked at again. Short at first and near the expected end, longer the longer nothing moves: the wait
    /// after the platform is done stays below a tenth of the time that it took.
    pub(crate) fn pause(&self, elapsed: Duration) -> Duration {
        let age = elapsed.saturating_sub(self.since);
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
}
