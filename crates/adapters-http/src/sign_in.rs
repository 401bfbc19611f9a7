//! One refused sign-in is one request.
//!
//! Behind a directory a few wrong passwords lock an account. Until credentials have been accepted once, requests that carry them
//! go one by one; after a refusal none is sent any more.

use domain::ports::ApiError;
use tokio::sync::{RwLock, RwLockWriteGuard};

/// What is known of the credentials.
#[derive(Debug, Default)]
pub(crate) enum Known {
    /// They were not sent yet, or no answer said anything of them.
    #[default]
    Nothing,
    /// The server took them.
    Accepted,
    /// The server, or the proxy before it, refused them with this.
    Refused(ApiError),
}

/// Leave to send one request with credentials.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// Together with others.
    Shared,
    /// Everybody else waits for this answer.
    Alone(RwLockWriteGuard<'a, Known>),
}

/// What is known of one client's credentials.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    known: RwLock<Known>,
}

impl SignIn {
    /// Waits until a request with the credentials may be sent; the refusal, where they were refused.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, ApiError> {
        match &*self.known.read().await {
            Known::Accepted => return Ok(Turn::Shared),
            Known::Refused(error) => return Err(error.clone()),
            Known::Nothing => {}
        }
        let known = self.known.write().await;
        match &*known {
            Known::Accepted => Ok(Turn::Shared),
            Known::Refused(error) => Err(error.clone()),
            Known::Nothing => Ok(Turn::Alone(known)),
        }
    }

    /// Learns from the answer to a request that had its turn.
    pub(crate) async fn learn<T>(&self, turn: Turn<'_>, answer: &Result<T, ApiError>) {
        let learned = match answer {
            Err(error) if is_refusal(error) => Known::Refused(error.clone()),
            Ok(_)
            | Err(
                ApiError::Forbidden { .. } | ApiError::NotFound { .. } | ApiError::Refused { .. },
            ) => Known::Accepted,
            // A busy server or a bad network says nothing of credentials.
            Err(_) => return,
        };
        match turn {
            Turn::Alone(mut known) => *known = learned,
            Turn::Shared if matches!(learned, Known::Refused(_)) => {
                *self.known.write().await = learned;
            }
            Turn::Shared => {}
        }
    }
}

fn is_refusal(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Unauthorized { .. } | ApiError::ProxyUnauthorized { .. }
    )
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn refused() -> ApiError {
        ApiError::Unauthorized {
            request: "GET users/john".to_owned(),
            message: None,
        }
    }

    #[tokio::test]
    async fn the_first_goes_alone_and_a_refusal_speaks_for_all() {
        let sign_in = SignIn::default();
        let first = sign_in.turn().await.unwrap();
        assert!(matches!(first, Turn::Alone(_)));
        assert!(sign_in.turn().now_or_never().is_none());
        sign_in.learn(first, &Err::<(), _>(refused())).await;
        assert_eq!(sign_in.turn().await.unwrap_err(), refused());
    }

    #[tokio::test]
    async fn once_accepted_all_go_together_until_one_is_refused() {
        let sign_in = SignIn::default();
        let first = sign_in.turn().await.unwrap();
        sign_in.learn(first, &Ok(())).await;
        let (one, two) = (sign_in.turn().await.unwrap(), sign_in.turn().await.unwrap());
        sign_in.learn(one, &Err::<(), _>(refused())).await;
        sign_in.learn(two, &Ok(())).await;
        assert!(sign_in.turn().await.is_err());
    }

    #[tokio::test]
    async fn whoever_gets_no_answer_or_leaves_lets_the_next_one_try() {
        let sign_in = SignIn::default();
        let first = sign_in.turn().await.unwrap();
        let busy = ApiError::Overloaded {
            request: "GET users/john".to_owned(),
            status: 503,
            retry_after: None,
            proxy: None,
            message: None,
        };
        sign_in.learn(first, &Err::<(), _>(busy)).await;
        let second = sign_in.turn().await.unwrap();
        assert!(matches!(second, Turn::Alone(_)));
        drop(second);
        assert!(matches!(sign_in.turn().await.unwrap(), Turn::Alone(_)));
    }
}
