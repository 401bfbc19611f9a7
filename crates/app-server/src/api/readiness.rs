//! The platform's last answer: whoever asks often does not make the platform answer often.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long an answer holds.
const HOLDS_FOR: Duration = Duration::from_secs(5);

/// The platform's last answer, and when it was given.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    last: Mutex<Option<(Duration, Reachable)>>,
    /// Held while the platform is asked: callers at the same time make one question.
    pub(super) asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reachable {
    Yes,
    No,
}

impl Readiness {
    pub(super) fn fresh(&self, now: Duration) -> Option<Reachable> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| now.saturating_sub(*at) < HOLDS_FOR)
            .map(|(_, reachable)| reachable)
    }

    /// The last answer, however old it is.
    pub(super) fn last(&self) -> Option<Reachable> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|(_, reachable)| reachable)
    }

    pub(super) fn record(&self, now: Duration, reachable: Reachable) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, reachable));
    }
}
