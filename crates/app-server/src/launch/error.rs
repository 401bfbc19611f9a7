//! Why a service cannot begin.

use std::io;
use std::net::SocketAddr;

use domain::jobs::JobStoreError;
use thiserror::Error;

use crate::compose::{ComposeError, DemoError, FleetError, StoreError};
use crate::serve::TlsError;

/// Why the service cannot begin.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StartError(#[from] pub(super) Cause);

#[derive(Debug, Error)]
pub(super) enum Cause {
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Stores(#[from] StoreError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error("the exports of an earlier process cannot be resumed")]
    Jobs(#[from] JobStoreError),
    #[error("could not listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("this machine gives no random numbers")]
    Random(#[source] getrandom::Error),
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Demo(#[from] DemoError),
}

impl StartError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0 {
            Cause::Compose(error) => error.hint(),
            Cause::Fleet(error) => error.hint(),
            Cause::Stores(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether other settings would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match &self.0 {
            Cause::Compose(_) | Cause::Tls(_) => true,
            Cause::Fleet(error) => error.is_misconfiguration(),
            Cause::Stores(error) => error.is_misconfiguration(),
            Cause::Jobs(_)
            | Cause::Listen { .. }
            | Cause::Random(_)
            | Cause::Signals(_)
            | Cause::Demo(_) => false,
        }
    }
}
