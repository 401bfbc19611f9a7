//! Whether the platform accepts the service's own credentials. It is asked once, and not with each export: behind a directory, a few refused
//! sign-ins lock an account.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::jobs::Whose;

use super::context::Context;
use crate::backend::IdentifyError;
use crate::causes::Causes;

/// How long credentials that were refused are not sent again. A directory that was away for a moment refuses what it accepts later.
const REFUSED_FOR: Duration = Duration::from_mins(5);

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

/// What is known of the service's own credentials.
#[derive(Default)]
pub(super) struct ServiceAccount {
    standing: Mutex<Standing>,
    /// Held while the platform is asked: whoever else wants to know waits for that answer.
    asking: tokio::sync::Mutex<()>,
}

impl ServiceAccount {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if they had been refused long ago.
    #[cfg(test)]
    pub(super) fn ask_again_now(&self) {
        *self.standing() = Standing::Refused {
            again_at: Duration::ZERO,
        };
    }
}

impl Context {
    /// Whether there are credentials of the service's own, and the platform did not refuse them when they were sent last.
    pub(super) fn has_service_account(&self) -> bool {
        let standing = *self.service_account.standing();
        self.ports.backend.has_service_account() && !matches!(standing, Standing::Refused { .. })
    }

    /// Whether a run may sign in as the service. Asks the platform where that is not known, or where it refused that a while ago. Once it
    /// accepts the credentials, everything that waits for a sign-in goes on.
    pub(super) async fn service_signs_in(&self) -> bool {
        if !self.ports.backend.has_service_account() {
            return false;
        }
        let _asking = self.service_account.asking.lock().await;
        let standing = *self.service_account.standing();
        match standing {
            Standing::Accepted => return true,
            Standing::Refused { again_at } if self.ports.clock.elapsed() < again_at => {
                return false;
            }
            Standing::Unknown | Standing::Refused { .. } => {}
        }
        match self.ports.backend.check_service().await {
            Ok(()) => {
                *self.service_account.standing() = Standing::Accepted;
                self.let_go_on(&Whose::Everybodys).await;
                true
            }
            Err(IdentifyError::Refused) => {
                self.service_refused();
                false
            }
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "it is not known yet whether the platform accepts the service's own credentials");
                // A run finds out.
                true
            }
        }
    }

    /// The platform refused the service's own credentials.
    pub(super) fn service_refused(&self) {
        let again_at = self.ports.clock.elapsed() + REFUSED_FOR;
        *self.service_account.standing() = Standing::Refused { again_at };
        tracing::error!(
            "the platform refuses the service's own credentials: exports wait for a sign-in, and the platform is asked again in {} minutes",
            REFUSED_FOR.as_secs() / 60
        );
    }
}
