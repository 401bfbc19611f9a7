//! The first request of a run: is there a UForge at this address?

use super::Limits;
use super::attempt::attempt_while;
use super::context::{Ports, RunError};
use crate::model::Order;
use crate::ports::{ApiError, Platform};

/// What is known of the platform before anything is asked of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Greeting {
    /// What it says of itself.
    pub(crate) platform: Platform,
    /// Whether it answered `status` as a UForge does.
    pub(crate) is_uforge: bool,
}

/// Asks for the platform's status, which needs no credentials. The run ends here only where nothing answers or no UForge does;
/// any other failure is left to the requests that follow. A wrong address is reported after few attempts: at this point a
/// person loses nothing by starting again.
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
