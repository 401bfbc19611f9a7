//! From settings to a service that listens, and back.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::JobStoreError;
use domain::ports::Clock;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::{Parts, Service};
use crate::auth::{Gate, GateParts, MemorySessions};
use crate::backend::Backend;
use crate::causes::Causes;
use crate::compose::{self, ComposeError, Signals, StoreError, Stores, open_stores};
use crate::routes::router;
use crate::runner::{Runner, RunnerPorts, Terms};
use crate::seal::Seal;
use crate::serve::serve;
use crate::settings::{Connections, Settings};

/// How long downloads that are under way may go on after a signal.
const LAST_DOWNLOADS: Duration = Duration::from_secs(5);

/// Why the service cannot begin.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StartError(#[from] Cause);

#[derive(Debug, Error)]
enum Cause {
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error(transparent)]
    Stores(#[from] StoreError),
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
}

impl StartError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0 {
            Cause::Compose(error) => error.hint(),
            _ => None,
        }
    }

    /// Whether other settings would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match &self.0 {
            Cause::Compose(_) => true,
            Cause::Stores(error) => error.is_misconfiguration(),
            Cause::Jobs(_) | Cause::Listen { .. } | Cause::Random(_) | Cause::Signals(_) => false,
        }
    }
}

/// A service that listens.
pub struct Running {
    url: String,
    runner: Arc<Runner>,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
    stores: Stores,
}

/// Starts the service. When this returns, it takes requests, and runs the exports that an earlier process left.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let clock = compose::clock();
    let backend = compose::backend(&settings, &clock).map_err(Cause::from)?;
    let seal = compose::seal(&settings).map_err(Cause::from)?;
    Ok(start_with(settings, backend, seal, clock).await?)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Cause> {
    let listening = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    listening
        .await
        .map_err(|source| Cause::Listen { address, source })
}

async fn start_with(
    settings: Settings,
    backend: Arc<dyn Backend>,
    seal: Option<Arc<dyn Seal>>,
    clock: Arc<dyn Clock>,
) -> Result<Running, Cause> {
    let stores = open_stores(&settings.data, &clock).await?;
    let mut key = [0; 64];
    getrandom::fill(&mut key).map_err(Cause::Random)?;
    let (listener, local) = listen(settings.listen).await?;
    let ports = RunnerPorts {
        store: Arc::clone(&stores.jobs),
        bags: Arc::clone(&stores.bags),
        audit: Arc::clone(&stores.audit),
        sealed: Arc::clone(&stores.sealed),
        seal,
        backend: Arc::clone(&backend),
        clock: Arc::clone(&clock),
    };
    let runner = Runner::start(ports, terms(&settings)).await?;
    tokio::spawn(look_at_platform(Arc::clone(&backend)));
    let service = Service::new(Parts {
        gate: Gate::new(GateParts {
            backend: Arc::clone(&backend),
            clock: Arc::clone(&clock),
            audit: Arc::clone(&stores.audit),
            sessions: Arc::new(MemorySessions::new(Arc::clone(&clock))),
            origin: settings.public_url,
            administrators: settings.administrators,
            key,
        }),
        readiness: crate::api::Readiness::default(),
        runner: Arc::clone(&runner),
        store: Arc::clone(&stores.jobs),
        bags: Arc::clone(&stores.bags),
        audit: Arc::clone(&stores.audit),
        keys: Arc::clone(&stores.keys),
        backend,
        clock: Arc::clone(&clock),
    });
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(serve(
        listener,
        router(service),
        settings.trusted_proxies.into(),
        within_open_files(settings.connections, compose::raise_open_files_limit()),
        clock,
        stopping.clone(),
    ));
    Ok(Running {
        url: format!("http://{local}"),
        runner,
        stopping,
        serving,
        stores,
    })
}

/// Connections that the process has file descriptors for: a download needs two, and the rest of the service some.
fn within_open_files(wanted: Connections, open_files: Option<u64>) -> Connections {
    const REST: u64 = 128;
    const FEWEST: usize = 16;
    let possible = open_files.map_or(usize::MAX, |files| {
        usize::try_from(files.saturating_sub(REST) / 2).unwrap_or(usize::MAX)
    });
    let possible = NonZeroUsize::new(possible.max(FEWEST)).unwrap_or(wanted.all);
    if possible >= wanted.all {
        return wanted;
    }
    // One address may not have all of them.
    let half = NonZeroUsize::new(possible.get() / 2).unwrap_or(possible);
    tracing::warn!(
        connections = possible,
        "fewer connections than wanted: the process may open too few files"
    );
    Connections {
        all: possible,
        per_address: wanted.per_address.min(half),
        ..wanted
    }
}

fn terms(settings: &Settings) -> Terms {
    Terms {
        places: settings.jobs.get(),
        keep_archive: settings.keep_archive,
        give_up_after: settings.give_up_after,
        store_limit: settings.store_limit,
        shares: Terms::SHARES,
        pace: settings.pace,
    }
}

impl Running {
    /// Where it listens, as in `http://127.0.0.1:8081`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes nothing new, stops every run so that the next start resumes it, and closes the connections. Takes seconds.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        let downloads = tokio::time::timeout(LAST_DOWNLOADS, &mut self.serving);
        let (downloads, ()) = tokio::join!(downloads, self.runner.stop());
        if downloads.is_err() {
            tracing::warn!("connections that would not end were cut");
            self.serving.abort();
        }
        drop(self.runner);
        self.stores.close().await;
    }
}

/// Logs why the platform cannot be asked. The service serves finished archives all the same.
async fn look_at_platform(backend: Arc<dyn Backend>) {
    if let Err(error) = backend.platform().await {
        tracing::warn!(url = backend.source(), error = %Causes(&error), "the platform cannot be asked now");
    }
}

/// Listens for what asks the service to end: SIGTERM, SIGINT, and SIGHUP unless it is ignored, as under `nohup`.
pub(crate) fn signals() -> Result<Signals, StartError> {
    Ok(Signals::listen().map_err(Cause::Signals)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_connections_than_files_that_can_be_open() {
        let bounded = |files| within_open_files(Connections::USUAL, files);
        assert_eq!(bounded(None).all, Connections::USUAL.all);
        assert_eq!(bounded(Some(20_000)).all, Connections::USUAL.all);
        let few = bounded(Some(1_024));
        assert_eq!((few.all.get(), few.per_address.get()), (448, 224));
        assert_eq!(bounded(Some(10)).all.get(), 16);
    }
}
