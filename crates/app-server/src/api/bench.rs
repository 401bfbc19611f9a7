//! The interface with a platform and runs that a test decides about.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tower::ServiceExt as _;

use domain::jobs::{AuditLog, JobStore};
use domain::testing::MemoryKeys;

use super::{Parts, Readiness, Scraped, Service};
use crate::auth::{Gate, GateParts, MemorySessions, Peer};
use crate::backend::Backend;
use crate::routes::router;
use crate::runner::Runner;
use crate::testing::{FakeBackend, TestStores, later_clock, terms};

pub(crate) struct Bench {
    pub(crate) router: Router,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) backend: Arc<FakeBackend>,
    /// How much later it is for sign-ins.
    pub(crate) later: Arc<Mutex<Duration>>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Asserts that this is a problem document, and gives its type.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let document = self.json();
        assert_eq!(document["status"], status);
        document["type"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn bench_keeping(keep_archive: Duration) -> Bench {
    make(keep_archive, None).await
}

/// The interface reads jobs from this store.
pub(crate) async fn bench_reading(store: Arc<dyn JobStore>) -> Bench {
    make(Duration::from_hours(1), Some(store)).await
}

async fn make(keep_archive: Duration, store: Option<Arc<dyn JobStore>>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(FakeBackend::default());
    let stores = TestStores::new(folder.path());
    let mut terms = terms(2);
    terms.keep_archive = keep_archive;
    terms.pace.sweep_every = Duration::from_hours(1);
    let runner = Runner::start(stores.ports(&backend), terms).await.unwrap();
    let platform = Arc::clone(&backend) as Arc<dyn Backend>;
    let clock = Arc::clone(&stores.clock);
    let later = Arc::default();
    let at_the_gate = later_clock(Arc::clone(&clock), &later);
    let audit = Arc::clone(&stores.audit);
    let service = Service::new(Parts {
        runner,
        gate: Gate::new(GateParts {
            backend: Arc::clone(&platform),
            clock: Arc::clone(&at_the_gate),
            audit: Arc::clone(&audit),
            sessions: Arc::new(MemorySessions::new(at_the_gate)),
            origin: None,
            has_tls: false,
            administrators: ["root", "boss"].map(crate::testing::user).to_vec(),
            key: [7; 64],
        }),
        readiness: Readiness::default(),
        metrics: Arc::new(crate::metrics::Metrics::new()),
        last_counts: crate::metrics::LastCounts::default(),
        store: store.unwrap_or(stores.store),
        campaigns: stores.campaigns,
        bags: stores.bags,
        audit: Arc::clone(&audit),
        keys: Arc::new(MemoryKeys::new(Arc::clone(&clock))),
        backend: platform,
        clock,
    });
    let router = router(service, Scraped::Here);
    Bench {
        router,
        audit,
        backend,
        later,
        folder,
    }
}

pub(crate) async fn bench() -> Bench {
    bench_keeping(Duration::from_hours(1)).await
}

pub(crate) fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

pub(crate) fn as_john(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", basic("john", "secret"))
}

impl Bench {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        request
            .extensions_mut()
            .insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let request = as_john(method, path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        self.ask_with("GET", path, header).await
    }

    pub(crate) async fn ask_with(&self, method: &str, path: &str, header: (&str, &str)) -> Answer {
        let request = as_john(method, path).header(header.0, header.1);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        let request = as_john("POST", "/api/v1/exports")
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// Asks for an export and gives where it is.
    pub(crate) async fn create(&self) -> String {
        let created = self.post("{}").await;
        assert_eq!(created.status, StatusCode::ACCEPTED);
        created.header("location").to_owned()
    }

    pub(crate) async fn until(&self, path: &str, state: &str) -> Value {
        loop {
            let export = self.ask("GET", path).await.json();
            if export["state"] == state {
                return export;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) async fn until_downloads(&self, path: &str, count: usize) -> Value {
        loop {
            let export = self.ask("GET", path).await.json();
            if export["downloads"].as_array().unwrap().len() == count {
                return export["downloads"].clone();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) async fn ready(&self) -> String {
        self.backend.let_through(1);
        let path = self.create().await;
        self.until(&path, "ready").await;
        path
    }
}
