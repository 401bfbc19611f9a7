//! One request, tried again as often as its errors are worth it.

use std::future::Future;

use super::Limits;
use super::retry::{Jitter, Verdict, verdict};
use super::run::{Ports, RunError};
use crate::model::{Order, UserId};
use crate::ports::{ApiError, Event, Platform};

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
            error if error.is_out_of_reach() || error.is_misconfigured() => {
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
    attempt_while(ports, seed, what, |_, _| true, call).await
}

/// What is known of the platform before anything is asked of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Greeting {
    /// What it says of itself.
    pub(crate) platform: Platform,
    /// Whether it answered `status` as a UForge does.
    pub(crate) is_uforge: bool,
}

/// Asks for the platform's status, which needs no credentials and is a courtesy: only a platform that is not there, or is
/// none, ends the run here. A wrong address is told soon: nothing is at stake yet that patience could save.
pub(crate) async fn greet(ports: Ports<'_>, order: &Order) -> Result<Greeting, RunError> {
    let worth_it = |error: &ApiError, attempts| match error {
        ApiError::Overloaded { .. } => true,
        ApiError::Stalled { .. } | ApiError::NotHttp { .. } => attempts < Limits::FIRST_CONTACTS,
        error if error.is_out_of_reach() => attempts < Limits::FIRST_CONTACTS,
        _ => attempts < Limits::ATTEMPTS,
    };
    let what = "the platform's status";
    let asked = attempt_while(ports, order.seed, what, worth_it, || ports.api.platform());
    match asked.await {
        Ok(platform) => Ok(Greeting {
            platform,
            is_uforge: true,
        }),
        Err(failed) => match failed.error {
            // Nothing was signed: a 401 says nothing of the credentials.
            ApiError::NotFound { .. }
            | ApiError::Forbidden { .. }
            | ApiError::Unauthorized { .. }
            | ApiError::Refused { .. } => Ok(Greeting::default()),
            error => Err(RunError::Platform(error)),
        },
    }
}

/// As [`attempt`], as long as it is worth it after so many attempts that ended with this error.
async fn attempt_while<T, Call, Answer>(
    ports: Ports<'_>,
    seed: u64,
    what: &str,
    worth_it: impl Fn(&ApiError, u32) -> bool,
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
            Verdict::Again(wait) if worth_it(&error, attempts) => {
                ports.progress.on(&Event::Retry {
                    what: what.to_owned(),
                    attempt: attempts,
                    reason: error.to_string(),
                    wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                });
                ports.clock.sleep(wait).await;
            }
            Verdict::Again(_) | Verdict::GiveUp => return Err(Failed { error, attempts }),
        }
    }
}
