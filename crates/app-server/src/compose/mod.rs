//! Puts the service together: the only place that names concrete adapters.

mod archives;
mod demo;
mod earlier_bag;
mod failure;
mod fleet;
mod forge;
mod membership;
mod moving;
mod open;
mod run;
mod seal;
mod service_account;
mod sessions;
mod shared_platform;
mod sign;
mod stores;
mod unfinished;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters_archive::{SealKey, SealKeyError};
use adapters_clock::SystemClock;
use adapters_http::{BaseUrl, BaseUrlError, SetUpError, TlsTrust};
use adapters_process::is_credential;
pub(crate) use adapters_process::{
    LossyStderr, Signals, TextFileError, alive_every, notify_alive, notify_ready, notify_stopping,
    raise_open_files_limit, read_pem,
};
use domain::ports::Clock;
use thiserror::Error;

use crate::backend::Backend;
use crate::metrics::Metrics;
use crate::seal::Seal;
use crate::settings::{Settings, Trust};
use crate::sign::Signer;
pub(crate) use demo::{Demo, DemoError};
pub(crate) use fleet::check as check_fleet;
use forge::Forge;
pub(crate) use membership::FleetError;
pub(crate) use moving::{MoveError, move_stores};
pub(crate) use open::open_stores;
use seal::AgeSeal;
use service_account::ServiceAccountError;
use sign::{MinisignSigner, SignerError};
pub(crate) use stores::{StoreError, Stores, back_up, open_trail};

/// Why the parts do not fit together. Nothing was sent.
#[derive(Debug, Error)]
pub(crate) enum ComposeError {
    /// The address of the platform cannot be used.
    #[error("the URL of the UForge cannot be used")]
    Url(#[source] BaseUrlError),
    /// Requests to the platform cannot be made.
    #[error("could not set the connection to the UForge up")]
    Connection(#[source] SetUpError),
    /// The service's own credentials cannot be used.
    #[error(transparent)]
    ServiceAccount(#[from] ServiceAccountError),
    /// The key that credentials are sealed to cannot be used.
    #[error(transparent)]
    SealKey(#[from] SealKeyError),
    /// The key that receipts are signed with cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// It would be lost and stolen together with what it seals.
    #[error("the key file `{}` is in the data folder", path.display())]
    SealKeyInData {
        /// The file.
        path: PathBuf,
    },
}

impl ComposeError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SealKey(error) => error.hint(),
            Self::Signer(error) => error.hint(),
            Self::SealKeyInData { .. } => {
                Some("keep it somewhere else: whoever gets hold of the folder must not get the key")
            }
            Self::Url(_) | Self::Connection(_) | Self::ServiceAccount(_) => None,
        }
    }
}

/// Time.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

/// The UForge behind the service, and the real workflow.
pub(crate) fn backend(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<dyn Backend>, ComposeError> {
    let base = BaseUrl::parse(&settings.url).map_err(ComposeError::Url)?;
    let service = settings.service_credentials.as_deref();
    let service = service.map(|path| service_account::read(path, &base));
    let forge = Forge {
        trust: match &settings.trust {
            Trust::System => TlsTrust::System,
            Trust::ExtraCa(pem) => TlsTrust::ExtraCa(pem.clone()),
            Trust::AcceptAny => TlsTrust::AcceptAny,
        },
        clock: Arc::clone(clock),
        metrics: Arc::clone(metrics),
        service: service.transpose()?,
        times: Arc::default(),
        base,
    };
    // A CA file without a certificate should stop the start, not the first caller.
    forge.anonymous().map_err(ComposeError::Connection)?;
    Ok(Arc::new(forge))
}

/// What credentials are sealed with, where the operator wants that.
pub(crate) fn seal(settings: &Settings) -> Result<Option<Arc<dyn Seal>>, ComposeError> {
    let Some(path) = &settings.seal_credentials else {
        return Ok(None);
    };
    let key = if is_credential(path) {
        SealKey::read_guarded(path)?
    } else {
        SealKey::read(path)?
    };
    if settings.fleet.is_none() && is_below(path, &settings.data) {
        return Err(ComposeError::SealKeyInData { path: path.clone() });
    }
    Ok(Some(Arc::new(AgeSeal(key))))
}

/// What receipts are signed with, where the operator wants that.
pub(crate) fn signer(settings: &Settings) -> Result<Option<Arc<dyn Signer>>, ComposeError> {
    let signer = MinisignSigner::open(settings)?;
    Ok(signer.map(|signer| Arc::new(signer) as Arc<dyn Signer>))
}

/// Whether a file that exists is in this folder, which need not exist.
fn is_below(file: &Path, folder: &Path) -> bool {
    let (Ok(file), Ok(folder)) = (file.canonicalize(), folder.canonicalize()) else {
        return false;
    };
    file.starts_with(folder)
}
