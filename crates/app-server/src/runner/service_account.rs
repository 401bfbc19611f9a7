//! What is known of the service's own credentials. The platform is asked once, and not with each export: behind a directory, a few refused
//! sign-ins lock an account.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long credentials that were refused are not sent again. A directory that was away for a moment refuses what it accepts later.
pub(super) const REFUSED_FOR: Duration = Duration::from_mins(5);

#[derive(Clone, Copy, Debug, Default)]
enum Standing {
    /// The platform has not been asked yet.
    #[default]
    Unknown,
    Accepted,
    Refused {
        /// When the platform is asked again, by the clock's elapsed time.
        again_at: Duration,
    },
}

/// Whether the platform accepts the service's own credentials.
#[derive(Default)]
pub(super) struct ServiceAccount {
    standing: Mutex<Standing>,
    asking: tokio::sync::Mutex<()>,
}

impl ServiceAccount {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while the platform is asked: whoever else wants to know waits for that answer.
    pub(super) async fn asking(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.asking.lock().await
    }

    /// Whether the platform accepted them; `None` where it is to be asked.
    pub(super) fn is_accepted(&self, elapsed: Duration) -> Option<bool> {
        match *self.standing() {
            Standing::Accepted => Some(true),
            Standing::Refused { again_at } if elapsed < again_at => Some(false),
            Standing::Unknown | Standing::Refused { .. } => None,
        }
    }

    /// Whether the platform refused them when they were sent last.
    pub(super) fn is_refused(&self) -> bool {
        matches!(*self.standing(), Standing::Refused { .. })
    }

    /// The platform accepted them.
    pub(super) fn accepted(&self) {
        *self.standing() = Standing::Accepted;
    }

    /// The platform refused them at this moment.
    pub(super) fn refused(&self, elapsed: Duration) {
        *self.standing() = Standing::Refused {
            again_at: elapsed + REFUSED_FOR,
        };
    }

    /// As if they had been refused long ago.
    #[cfg(test)]
    pub(super) fn ask_again_now(&self) {
        *self.standing() = Standing::Refused {
            again_at: Duration::ZERO,
        };
    }
}
