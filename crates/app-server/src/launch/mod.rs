//! From settings to a service that listens, and back.

mod error;

pub use error::StartError;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use domain::jobs::AuditLog;
use domain::ports::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::error::Cause;
use crate::api::{Parts, Scraped, Service};
use crate::auth::{Gate, GateParts};
use crate::backend::Backend;
use crate::causes::Causes;
use crate::compose::{self, Demo, Signals, Stores, open_stores};
use crate::duties::terms;
use crate::metrics::{LastCounts, MeteredAudit, Metrics};
use crate::routes::{metrics_router, router};
use crate::runner::{Runner, RunnerPorts};
use crate::seal::Seal;
use crate::serve::{Serving, Tls, serve};
use crate::settings::{Connections, Role, Settings};
use crate::sign::Signer;

/// How long downloads that are under way may go on after a signal.
const LAST_DOWNLOADS: Duration = Duration::from_secs(5);

/// A service that listens.
pub struct Running {
    url: String,
    worker: Option<String>,
    metrics_url: Option<String>,
    runner: Arc<Runner>,
    stopping: CancellationToken,
    serving: JoinSet<()>,
    stores: Stores,
}

/// Says whether a service would start with these settings, as far as that is known without its folder and its address.
pub(crate) fn check(settings: &Settings) -> Result<(), StartError> {
    Outfit::of(settings)?;
    Ok(())
}

/// What a service is made of.
struct Outfit {
    backend: Arc<dyn Backend>,
    seal: Option<Arc<dyn Seal>>,
    signer: Option<Arc<dyn Signer>>,
    tls: Option<Tls>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

/// Starts the service. When this returns, it takes requests, and runs the exports that an earlier process left.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let outfit = Outfit::of(&settings)?;
    Ok(start_with(settings, outfit).await?)
}

impl Outfit {
    /// Reads every file that the settings name. Nothing is written or sent.
    fn of(settings: &Settings) -> Result<Self, Cause> {
        if let Some(fleet) = &settings.fleet {
            compose::check_fleet(fleet)?;
        }
        let clock = compose::clock();
        let metrics = Arc::new(Metrics::new());
        Ok(Self {
            backend: compose::backend(settings, &clock, &metrics)?,
            seal: compose::seal(settings)?,
            signer: compose::signer(settings)?,
            tls: settings.tls.as_ref().map(Tls::open).transpose()?,
            metrics,
            clock,
        })
    }

    fn ports(&self, stores: &Stores) -> RunnerPorts {
        RunnerPorts {
            store: Arc::clone(&stores.jobs),
            runs: Arc::clone(&stores.runs),
            campaigns: Arc::clone(&stores.campaigns),
            bags: Arc::clone(&stores.bags),
            slots: stores.slots.clone(),
            rate: stores.rate.clone(),
            audit: self.audit(stores),
            sealed: Arc::clone(&stores.sealed),
            seal: self.seal.clone(),
            signer: self.signer.clone(),
            backend: Arc::clone(&self.backend),
            clock: Arc::clone(&self.clock),
        }
    }

    fn audit(&self, stores: &Stores) -> Arc<dyn AuditLog> {
        Arc::new(MeteredAudit {
            inner: Arc::clone(&stores.audit),
            jobs: Arc::clone(&stores.jobs),
            metrics: Arc::clone(&self.metrics),
        })
    }

    fn service(
        &self,
        settings: &Settings,
        stores: &Stores,
        runner: &Arc<Runner>,
        key: [u8; 64],
    ) -> Service {
        let audit = self.audit(stores);
        Service::new(Parts {
            gate: Gate::new(GateParts {
                backend: Arc::clone(&self.backend),
                clock: Arc::clone(&self.clock),
                audit: Arc::clone(&audit),
                sessions: Arc::clone(&stores.sessions),
                origin: settings.public_url.clone(),
                has_tls: self.tls.is_some(),
                administrators: settings.administrators.clone(),
                key,
            }),
            readiness: crate::api::Readiness::default(),
            metrics: Arc::clone(&self.metrics),
            last_counts: LastCounts::default(),
            runner: Arc::clone(runner),
            store: Arc::clone(&stores.jobs),
            campaigns: Arc::clone(&stores.campaigns),
            bags: Arc::clone(&stores.bags),
            audit,
            keys: Arc::clone(&stores.keys),
            backend: Arc::clone(&self.backend),
            clock: Arc::clone(&self.clock),
        })
    }
}

/// Starts the embedded UForge of a demo.
pub(crate) async fn start_demo() -> Result<Demo, StartError> {
    Ok(Demo::start().await.map_err(Cause::Demo)?)
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

async fn start_with(settings: Settings, outfit: Outfit) -> Result<Running, Cause> {
    let stores = open_stores(&settings, &outfit.clock).await?;
    match Begun::with(&settings, &outfit, &stores).await {
        Ok(begun) => Ok(begun.run(&settings, outfit, stores)),
        Err(error) => {
            // Otherwise other processes would count this one as theirs for a while.
            stores.close().await;
            Err(error)
        }
    }
}

/// What a service has once its stores are open, and nobody is served yet.
struct Begun {
    key: [u8; 64],
    listening: Option<(TcpListener, SocketAddr)>,
    metrics: Option<(TcpListener, SocketAddr)>,
    runner: Arc<Runner>,
}

fn role(settings: &Settings) -> Role {
    let fleet = settings.fleet.as_ref();
    fleet.map(|fleet| fleet.role).unwrap_or_default()
}

impl Begun {
    async fn with(settings: &Settings, outfit: &Outfit, stores: &Stores) -> Result<Self, Cause> {
        let key = match stores.secret {
            Some(secret) => secret,
            None => drawn_key()?,
        };
        let listening = if role(settings).serves() {
            Some(listen(settings.listen).await?)
        } else {
            None
        };
        let metrics = match settings.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let runner = Runner::start(outfit.ports(stores), terms(settings)).await?;
        Ok(Self {
            key,
            listening,
            metrics,
            runner,
        })
    }

    fn run(self, settings: &Settings, outfit: Outfit, stores: Stores) -> Running {
        let Self {
            key,
            listening,
            metrics,
            runner,
        } = self;
        tokio::spawn(look_at_platform(Arc::clone(&outfit.backend)));
        let service = outfit.service(settings, &stores, &runner, key);
        let scheme = if outfit.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let url = listening
            .as_ref()
            .map_or_else(String::new, |(_, local)| format!("{scheme}://{local}"));
        let listener = listening.map(|(listener, _)| listener);
        let worker = settings.fleet.as_ref().filter(|_| !role(settings).serves());
        let worker = worker.map(|fleet| fleet.process.clone());
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            platform = outfit.backend.source(),
            url,
            data = %settings.data.display(),
            process = settings.fleet.as_ref().map(|fleet| fleet.process.as_str()),
            "started"
        );
        let metrics_url = metrics
            .as_ref()
            .map(|(_, local)| format!("http://{local}/metrics"));
        let metrics = metrics.map(|(listener, _)| listener);
        let stopping = CancellationToken::new();
        let sockets = Sockets { listener, metrics };
        let serving = sockets.serve(settings, outfit, service, &stopping);
        Running {
            url,
            worker,
            metrics_url,
            runner,
            stopping,
            serving,
            stores,
        }
    }
}

/// Where callers come in.
struct Sockets {
    listener: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Sockets {
    fn serve(
        self,
        settings: &Settings,
        outfit: Outfit,
        service: Service,
        stopping: &CancellationToken,
    ) -> JoinSet<()> {
        let scraped = match self.metrics {
            Some(_) => Scraped::Elsewhere,
            None => Scraped::Here,
        };
        let limits = within_open_files(settings.connections, compose::raise_open_files_limit());
        let serving = Serving {
            router: router(service.clone(), scraped),
            trusted_proxies: settings.trusted_proxies.clone().into(),
            limits,
            tls: outfit.tls.clone(),
            clock: Arc::clone(&outfit.clock),
            stopping: stopping.clone(),
        };
        let mut tasks = JoinSet::new();
        if let Some(listener) = self.metrics {
            let serving = Serving {
                router: metrics_router(service),
                tls: None,
                ..serving.clone()
            };
            tasks.spawn(serve(listener, serving));
        }
        if let Some(tls) = outfit.tls {
            tasks.spawn(tls.watch(Arc::clone(&outfit.clock), stopping.clone()));
        }
        tasks.spawn(outfit.metrics.add_up(outfit.clock, stopping.clone()));
        if let Some(listener) = self.listener {
            tasks.spawn(serve(listener, serving));
        }
        tasks
    }
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

fn drawn_key() -> Result<[u8; 64], Cause> {
    let mut key = [0; 64];
    getrandom::fill(&mut key).map_err(Cause::Random)?;
    Ok(key)
}

impl Running {
    /// Where it listens, as in `http://127.0.0.1:8081`; `https` where it speaks TLS itself.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a process is called that serves nobody and only runs exports.
    pub fn worker(&self) -> Option<&str> {
        self.worker.as_deref()
    }

    /// Where metrics are read, where that is not at [`Running::url`].
    pub fn metrics_url(&self) -> Option<&str> {
        self.metrics_url.as_deref()
    }

    /// Takes nothing new, stops every run so that the next start resumes it, and closes the connections. Takes seconds.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        let ended = async { while self.serving.join_next().await.is_some() {} };
        let downloads = tokio::time::timeout(LAST_DOWNLOADS, ended);
        let (downloads, ()) = tokio::join!(downloads, self.runner.stop());
        if downloads.is_err() {
            tracing::warn!("connections that would not end were cut");
            self.serving.abort_all();
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
