//! One request, tried again as often as its errors are worth it.

use std::future::Future;

use super::context::{Ports, RunError};
use super::outage::is_outage;
use super::retry::{Jitter, Retriable, Verdict};
use crate::model::Order;
use crate::ports::{ApiError, Event, JournalError, SinkError};

/// A request, or a transfer, that failed for good.
#[derive(Debug)]
pub(crate) struct Failed<E = ApiError> {
    /// The last error.
    pub(crate) error: E,
    /// Attempts made.
    pub(crate) attempts: u32,
}

impl Failed {
    /// Whether the answer was "no content" (204): some platforms answer so where a list is empty. A single such answer may come
    /// from a gateway, so this counts only after the usual attempts. Another status without a body does not count: an answer
    /// that was cut off must not pass for an empty account.
    pub(crate) fn is_without_content(&self) -> bool {
        is_no_content(&self.error)
    }

    /// Whether this is a failure of what was asked for only, or the end of the run: refused credentials, or a platform that is
    /// not there any more.
    pub(crate) async fn classify(self, ports: Ports<'_>, order: &Order) -> Problem {
        match self.error {
            error if is_refused_login(&error) => Problem::Fatal(RunError::Unauthorized {
                user: order.user.to_string(),
                source: error,
            }),
            error if error.is_out_of_reach() || error.is_misconfigured() => {
                Problem::Fatal(RunError::Platform(error))
            }
            error if is_outage(ports, order, &error).await => {
                Problem::Fatal(RunError::Platform(error))
            }
            error => Problem::Failure(Self {
                error,
                attempts: self.attempts,
            }),
        }
    }
}

/// Whether this is the answer "no content".
pub(crate) fn is_no_content(error: &ApiError) -> bool {
    matches!(error, ApiError::Empty { status: 204, .. })
}

/// Why something was not fetched.
#[derive(Debug)]
pub(crate) enum Problem<F = Failed> {
    /// It is missing; the run continues.
    Failure(F),
    /// The run ends.
    Fatal(RunError),
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        Self::Failure(failed)
    }
}

impl<F> From<RunError> for Problem<F> {
    fn from(error: RunError) -> Self {
        Self::Fatal(error)
    }
}

impl<F> From<SinkError> for Problem<F> {
    fn from(error: SinkError) -> Self {
        Self::Fatal(error.into())
    }
}

impl<F> From<JournalError> for Problem<F> {
    fn from(error: JournalError) -> Self {
        Self::Fatal(error.into())
    }
}

/// A failure becomes a value; only what ends the run stays an error.
pub(crate) fn settle<T, F>(answer: Result<T, Problem<F>>) -> Result<Result<T, F>, RunError> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(Problem::Failure(failed)) => Ok(Err(failed)),
        Err(Problem::Fatal(fatal)) => Err(fatal),
    }
}

/// Whether the credentials are not accepted.
pub(crate) fn is_refused_login(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorized { .. })
}

/// [`attempt`] with the order's seed and user: an error of the platform ends the run where no other request would fare better.
pub(crate) async fn ask<T, Call, Answer>(
    ports: Ports<'_>,
    order: &Order,
    what: &str,
    call: Call,
) -> Result<T, Problem>
where
    Call: Fn() -> Answer,
    Answer: Future<Output = Result<T, ApiError>>,
{
    let answer = attempt(ports, order.seed, what, call).await;
    match answer {
        Ok(value) => Ok(value),
        Err(failed) => Err(failed.classify(ports, order).await),
    }
}

/// Asks until there is an answer, the error is final, or it was asked often enough.
pub(crate) async fn attempt<T, E, Call, Answer>(
    ports: Ports<'_>,
    seed: u64,
    what: &str,
    call: Call,
) -> Result<T, Failed<E>>
where
    E: Retriable,
    Call: Fn() -> Answer,
    Answer: Future<Output = Result<T, E>>,
{
    attempt_while(ports, seed, what, |_, _| true, call).await
}

/// As [`attempt`], but it also gives up where `worth_it` says no to the last error and the number of attempts.
pub(super) async fn attempt_while<T, E, Call, Answer>(
    ports: Ports<'_>,
    seed: u64,
    what: &str,
    worth_it: impl Fn(&E, u32) -> bool,
    call: Call,
) -> Result<T, Failed<E>>
where
    E: Retriable,
    Call: Fn() -> Answer,
    Answer: Future<Output = Result<T, E>>,
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
        match error.verdict(attempts, &mut jitter) {
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
