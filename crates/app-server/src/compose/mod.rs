//! Puts the service together: the only place that names concrete adapters.

mod failure;
mod forge;
mod run;
mod stores;

use std::sync::Arc;

use adapters_clock::SystemClock;
use adapters_http::{BaseUrl, BaseUrlError, SetUpError, TlsTrust};
pub(crate) use adapters_process::{
    LossyStderr, Signals, TextFileError, raise_open_files_limit, read_pem,
};
use domain::ports::Clock;
use thiserror::Error;

use crate::backend::Backend;
use crate::settings::{Settings, Trust};
use forge::Forge;
pub(crate) use stores::{StoreError, Stores, open_stores, open_trail};

/// Why the parts do not fit together. Nothing was sent.
#[derive(Debug, Error)]
pub(crate) enum ComposeError {
    /// The address of the platform cannot be used.
    #[error("the URL of the UForge cannot be used")]
    Url(#[source] BaseUrlError),
    /// Requests to the platform cannot be made.
    #[error("could not set the connection to the UForge up")]
    Connection(#[source] SetUpError),
}

/// Time.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

/// The UForge behind the service, and the real workflow.
pub(crate) fn backend(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Backend>, ComposeError> {
    let forge = Forge {
        base: BaseUrl::parse(&settings.url).map_err(ComposeError::Url)?,
        trust: match &settings.trust {
            Trust::System => TlsTrust::System,
            Trust::ExtraCa(pem) => TlsTrust::ExtraCa(pem.clone()),
            Trust::AcceptAny => TlsTrust::AcceptAny,
        },
        clock: Arc::clone(clock),
        service: None,
    };
    // A CA file without a certificate should stop the start, not the first caller.
    forge.anonymous().map_err(ComposeError::Connection)?;
    Ok(Arc::new(forge))
}
