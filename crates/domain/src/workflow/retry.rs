//! Whether and when to try again: a pure rule over the meaning of an error.
//!
//! Exponential back-off with full jitter: each wait is drawn evenly between nothing and a ceiling that doubles. `Retry-After`
//! is honoured as a floor.

use std::fmt;
use std::time::Duration;

use super::Limits;
use crate::ports::ApiError;

const FIRST_CEILING: Duration = Duration::from_millis(500);
const LAST_CEILING: Duration = Duration::from_secs(30);
/// A `Retry-After` that is longer than this counts as a refusal.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(15);

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again after this long.
    Again(Duration),
    /// Asking again would not help, or has been tried often enough.
    GiveUp,
}

/// A seeded source of evenly distributed numbers: the same seed gives the same waits.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64, Steele et al. 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A duration between nothing and `ceiling`.
    fn below(&mut self, ceiling: Duration) -> Duration {
        let millis = u64::try_from(ceiling.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        Duration::from_millis(self.next() % millis)
    }
}

/// Whether an error may pass by itself, and how many attempts it is worth.
fn attempts_worth(error: &ApiError) -> u32 {
    match error {
        ApiError::Overloaded { .. }
        | ApiError::UnknownHost { .. }
        | ApiError::Unreachable { .. }
        | ApiError::ProxyUnreachable { .. }
        | ApiError::NotHttp { .. }
        | ApiError::NoAnswer { .. }
        | ApiError::Interrupted { .. }
        | ApiError::Stalled { .. } => Limits::PATIENT_ATTEMPTS,
        // A document cut short by `Connection: close` reads as broken, and a gateway's page comes and goes.
        ApiError::ServerFault { .. }
        | ApiError::Unreadable { .. }
        | ApiError::Empty { .. }
        | ApiError::NotUForge { .. }
        | ApiError::ProxyRefused { .. } => Limits::ATTEMPTS,
        ApiError::Unauthorized { .. }
        | ApiError::Forbidden { .. }
        | ApiError::NotFound { .. }
        | ApiError::Refused { .. }
        | ApiError::NotOffered { .. }
        | ApiError::ProxyUnauthorized { .. }
        | ApiError::ClientCertificate { .. }
        | ApiError::NoCommonTls { .. }
        | ApiError::Untrusted { .. }
        | ApiError::TooLarge { .. }
        | ApiError::Redirected { .. } => 1,
    }
}

/// Whether an error may pass by itself.
pub(crate) fn may_pass(error: &ApiError) -> bool {
    attempts_worth(error) > 1
}

/// Why an attempt failed, and whether another one may do better.
pub(crate) trait Retriable: fmt::Display {
    /// What follows from the error of this attempt, counted from 1.
    fn verdict(&self, attempt: u32, jitter: &mut Jitter) -> Verdict;
}

impl Retriable for ApiError {
    fn verdict(&self, attempt: u32, jitter: &mut Jitter) -> Verdict {
        verdict(self, attempt, jitter)
    }
}

/// What follows from the error of this attempt, counted from 1.
pub(crate) fn verdict(error: &ApiError, attempt: u32, jitter: &mut Jitter) -> Verdict {
    if attempt >= attempts_worth(error) {
        return Verdict::GiveUp;
    }
    let wait = backoff(attempt, jitter);
    match error {
        ApiError::Overloaded {
            retry_after: Some(asked),
            ..
        } if *asked > LONGEST_RETRY_AFTER => Verdict::GiveUp,
        ApiError::Overloaded {
            retry_after: Some(asked),
            ..
        } => Verdict::Again(wait.saturating_add(*asked)),
        _ => Verdict::Again(wait),
    }
}

/// The wait after this many failed attempts.
pub(crate) fn backoff(attempt: u32, jitter: &mut Jitter) -> Duration {
    let doubled = FIRST_CEILING.saturating_mul(
        1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    jitter.below(doubled.min(LAST_CEILING))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overloaded(retry_after: Option<u64>) -> ApiError {
        ApiError::Overloaded {
            request: "GET x".into(),
            status: 503,
            retry_after: retry_after.map(Duration::from_secs),
            proxy: None,
            message: None,
        }
    }

    #[test]
    fn refusals_are_never_asked_again() {
        for status in [400, 409, 415] {
            let error = ApiError::Refused {
                request: "GET x".into(),
                status,
                message: None,
            };
            assert_eq!(verdict(&error, 1, &mut Jitter::new(1)), Verdict::GiveUp);
        }
        for error in [
            ApiError::Unauthorized {
                request: "GET x".into(),
                message: None,
            },
            ApiError::Forbidden {
                request: "GET x".into(),
                message: None,
            },
            ApiError::NotFound {
                request: "GET x".into(),
                status: 404,
                message: None,
            },
        ] {
            assert_eq!(verdict(&error, 1, &mut Jitter::new(1)), Verdict::GiveUp);
        }
    }

    #[test]
    fn retry_after_is_a_floor_and_a_day_is_a_refusal() {
        let Verdict::Again(wait) = verdict(&overloaded(Some(20)), 1, &mut Jitter::new(7)) else {
            panic!()
        };
        assert!(wait >= Duration::from_secs(20));
        assert_eq!(
            verdict(&overloaded(Some(86_400)), 1, &mut Jitter::new(7)),
            Verdict::GiveUp
        );
    }

    #[test]
    fn waits_stay_below_a_ceiling_that_doubles_up_to_thirty_seconds() {
        let mut jitter = Jitter::new(3);
        for attempt in 1..200 {
            let ceiling = (500_u64 << (attempt - 1).min(10)).min(30_000);
            assert!(backoff(attempt, &mut jitter) <= Duration::from_millis(ceiling));
        }
    }

    #[test]
    fn patience_ends() {
        let mut jitter = Jitter::new(1);
        let attempts = (1..100)
            .take_while(|n| verdict(&overloaded(None), *n, &mut jitter) != Verdict::GiveUp)
            .count();
        assert_eq!(attempts + 1, Limits::PATIENT_ATTEMPTS as usize);
    }
}
