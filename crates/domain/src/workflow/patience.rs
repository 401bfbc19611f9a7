//! One request, tried again as often as its errors are worth it.

use std::future::Future;

use super::retry::{Jitter, Verdict, verdict};
use super::run::{Ports, RunError};
use crate::model::UserId;
use crate::ports::{ApiError, Event};

/// A request that failed for good.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The last error.
    pub(crate) error: ApiError,
    /// Attempts made.
    pub(crate) attempts: u32,
}

impl Failed {
    /// What ends the whole run: refused credentials, or a platform that is not there any more.
    pub(crate) fn into_fatal(self, user: &UserId) -> Result<Self, RunError> {
        match self.error {
            error if is_refused_login(&error) => Err(RunError::Unauthorized {
                user: user.to_string(),
                source: error,
            }),
            error @ (ApiError::Unreachable { .. } | ApiError::Untrusted { .. }) => {
                Err(RunError::Platform(error))
            }
            error => Ok(Self {
                error,
                attempts: self.attempts,
            }),
        }
    }
}

/// Whether the credentials are not accepted.
pub(crate) fn is_refused_login(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorized { .. })
}

/// Asks until there is an answer, the error is final, or patience ends.
pub(crate) async fn attempt<T, Call, Answer>(
    ports: Ports<'_>,
    seed: u64,
    what: &str,
    call: Call,
) -> Result<T, Failed>
where
    Call: Fn() -> Answer,
    Answer: Future<Output = Result<T, ApiError>>,
{
    let mut jitter = Jitter::new(
        seed ^ what
            .bytes()
            .fold(0, |sum: u64, byte| sum.rotate_left(5) ^ u64::from(byte)),
    );
    let mut attempts = 0;
    loop {
        attempts += 1;
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match verdict(&error, attempts, &mut jitter) {
            Verdict::Again(wait) => {
                ports.progress.on(&Event::Retry {
                    what: what.to_owned(),
                    attempt: attempts,
                    reason: error.to_string(),
                    wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                });
                ports.clock.sleep(wait).await;
            }
            Verdict::GiveUp => return Err(Failed { error, attempts }),
        }
    }
}
