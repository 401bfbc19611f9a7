//! From settings to a service that listens, and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{BagStore, BagStoreError, JobStore};
use domain::ports::Clock;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::{Parts, Service, router};
use crate::auth::Gate;
use crate::backend::Backend;
use crate::causes::Causes;
use crate::compose::{self, ComposeError, Signals};
use crate::runner::{Runner, RunnerPorts};
use crate::serve::serve;
use crate::settings::Settings;
use crate::store::{DataFolder, DataFolderError, DiskBags, MemoryJobs};
use crate::sweep::{clean_up, sweep_forever};

/// Jobs whose records are kept at the same time.
const RECORDS: usize = 10_000;
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
    Data(#[from] DataFolderError),
    #[error("the folder of archives cannot be used")]
    Bags(#[from] BagStoreError),
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
    /// Whether other settings would help, and nothing else.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self.0 {
            // Another folder has to be named, or this one closed to others.
            Cause::Compose(_) | Cause::Data(DataFolderError::Distrusted(_)) => true,
            Cause::Data(_)
            | Cause::Bags(_)
            | Cause::Listen { .. }
            | Cause::Random(_)
            | Cause::Signals(_) => false,
        }
    }
}

/// A service that listens.
pub struct Running {
    url: String,
    runner: Arc<Runner>,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    _data: DataFolder,
}

/// Starts the service. When this returns, it takes requests.
///
/// What an earlier process left in the data folder is deleted: records of jobs live in memory.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let clock = compose::clock();
    let backend = compose::backend(&settings, &clock).map_err(Cause::from)?;
    Ok(start_with(settings, backend, clock).await?)
}

async fn start_with(
    settings: Settings,
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
) -> Result<Running, Cause> {
    let data = DataFolder::open(&settings.data)?;
    let bags: Arc<dyn BagStore> = Arc::new(DiskBags::open(data.bags())?);
    let deleted = clean_up(&*bags).await?;
    if deleted > 0 {
        tracing::warn!(
            folders = deleted,
            "the exports of an earlier process were deleted"
        );
    }
    let store: Arc<dyn JobStore> = Arc::new(MemoryJobs::new(RECORDS));
    let mut key = [0; 64];
    getrandom::fill(&mut key).map_err(Cause::Random)?;
    let ports = RunnerPorts {
        store: Arc::clone(&store),
        bags: Arc::clone(&bags),
        backend: Arc::clone(&backend),
        clock: Arc::clone(&clock),
    };
    let runner = Arc::new(Runner::new(
        ports,
        settings.jobs.get(),
        settings.keep_archive,
    ));
    let address = settings.listen;
    let listen = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    let (listener, local) = listen
        .await
        .map_err(|source| Cause::Listen { address, source })?;
    tokio::spawn(look_at_platform(Arc::clone(&backend)));
    let sweeping = tokio::spawn(sweep_forever(
        Arc::clone(&store),
        Arc::clone(&bags),
        Arc::clone(&clock),
    ));
    let service = Service::new(Parts {
        gate: Gate::new(Arc::clone(&backend), Arc::clone(&clock), key),
        readiness: crate::api::Readiness::default(),
        runner: Arc::clone(&runner),
        store,
        bags,
        backend,
        clock: Arc::clone(&clock),
    });
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(serve(
        listener,
        router(service),
        settings.trusted_proxies.into(),
        clock,
        stopping.clone(),
    ));
    Ok(Running {
        url: format!("http://{local}"),
        runner,
        stopping,
        serving,
        sweeping,
        _data: data,
    })
}

impl Running {
    /// Where it listens, as in `http://127.0.0.1:8081`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes nothing new, stops every run with its tickets abandoned, and closes the connections. Takes seconds.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        self.runner.stop().await;
        self.sweeping.abort();
        if tokio::time::timeout(LAST_DOWNLOADS, &mut self.serving)
            .await
            .is_err()
        {
            tracing::warn!("connections that would not end were cut");
            self.serving.abort();
        }
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
