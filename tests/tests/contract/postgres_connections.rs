//! What becomes of the connections to PostgreSQL: none at all, or one that falls silent.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters_store::{DatabaseUrl, PostgresDatabase, PostgresError, PostgresJobStore};
use domain::jobs::{JobStore as _, Lease};
use tests::contract::job_store;
use tests::kit::Postgres;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

/// Only a test that hangs can reach it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to a database on which connections can fall silent: they stay open, and nothing passes on them any more.
struct Way {
    address: SocketAddr,
    silenced: watch::Sender<()>,
}

impl Way {
    async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let silenced = watch::Sender::new(());
        let heard_by = silenced.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&socket).await.expect("the database");
                tokio::spawn(pass(near, far, heard_by.subscribe()));
            }
        });
        Self { address, silenced }
    }

    /// All connections that there are fall silent. New ones work.
    fn silence(&self) {
        self.silenced.send_replace(());
    }
}

async fn pass(mut near: TcpStream, mut far: UnixStream, mut silenced: watch::Receiver<()>) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = silenced.changed() => std::future::pending().await,
    }
}

/// The folder of the socket is in the URL of a database of the kit.
fn socket_of(url: &str) -> PathBuf {
    let folder = url.split_once("host=").expect("a folder").1;
    let folder = folder.split('&').next().expect("a folder");
    PathBuf::from(folder).join(".s.PGSQL.5432")
}

/// Holds a row of every job until it is ended.
const HOLD: &str = "SELECT id FROM jobs FOR UPDATE; SELECT pg_sleep(600)";
const HELD: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
const END_HOLD: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

/// After a failover a connection may stay silent for a quarter of an hour: that must not cost the leases.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn leases_are_renewed_although_a_connection_has_fallen_silent() {
    const TERM: Duration = Duration::from_secs(8);
    let server = Arc::new(Postgres::start());
    let way = Way::to(socket_of(&server.database("silence"))).await;
    let url = format!("postgres://exports@{}/silence", way.address);
    let url = DatabaseUrl::parse(&url).expect("a URL");
    let database = PostgresDatabase::open(&url).await.expect("a database");
    let jobs = Arc::new(PostgresJobStore::new(&database));
    job_store::order(&*jobs, 1, "john").await;
    let lease = job_store::claim(&*jobs).await.expect("a job").lease;
    let ask = |statement| {
        let server = Arc::clone(&server);
        spawn_blocking(move || server.psql("silence", statement))
    };
    let counts = async |statement| ask(statement).await.expect("an answer") != Ok("0".to_owned());

    // The answer is under way for as long as the row is held, and then the connection is silent.
    let hold = ask(HOLD);
    while !counts(HELD).await {}
    let renewing = tokio::spawn({
        let (jobs, lease) = (Arc::clone(&jobs), lease.clone());
        async move { jobs.renew(&[lease], TERM).await }
    });
    while !counts(WAITING).await && !renewing.is_finished() {}
    way.silence();
    ask(END_HOLD).await.expect("no panic").expect("it ends");
    assert!(hold.await.expect("no panic").is_err(), "it was ended");
    let renewed = timeout(PATIENCE, renewing).await;
    let renewed = renewed.expect("it does not wait for a silent connection");
    assert!(renewed.expect("no panic").is_err(), "nothing passed");

    renewed_at_last(&jobs, &lease, TERM).await;
    // Between two renewals.
    way.silence();
    renewed_at_last(&jobs, &lease, TERM).await;
}

/// The first attempts may fail.
async fn renewed_at_last(jobs: &PostgresJobStore, lease: &Lease, term: Duration) {
    let until = Instant::now() + PATIENCE;
    loop {
        let renewed = timeout(PATIENCE, jobs.renew(std::slice::from_ref(lease), term)).await;
        if let Ok(Ok(renewed)) = renewed {
            let renewed = renewed.into_iter().map(|renewed| renewed.lease);
            assert_eq!(renewed.collect::<Vec<_>>(), std::slice::from_ref(lease));
            break;
        }
        assert!(Instant::now() < until, "nothing is renewed any more");
    }
}

/// Where it was looked for, and each cause once, without a line of PostgreSQL's source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_database_cannot_be_reached_is_said_once() {
    let server = Postgres::start();
    let there = server.database("there");
    // Nobody listens where somebody did, and nobody answers where somebody listens.
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = |listener: &TcpListener| listener.local_addr().expect("its address").to_string();
    let (gone_at, silent_at) = (at(&gone), at(&silent));
    drop(gone);
    for (url, place, cause) in [
        (
            format!("postgres://u@{gone_at}/exports"),
            gone_at,
            "refused",
        ),
        (
            format!("postgres://u@{silent_at}/exports"),
            silent_at,
            "no answer within",
        ),
        (
            there.replace("/there?", "/nowhere?"),
            ":5432".to_owned(),
            "database \"nowhere\" does not exist",
        ),
    ] {
        let url = DatabaseUrl::parse(&url).expect("a URL");
        let refused = PostgresDatabase::open(&url).await;
        let refused = refused.err().expect("it is not there");
        assert!(matches!(refused, PostgresError::Unreachable { .. }));
        let mut said = refused.to_string();
        assert!(said.contains(&place), "{said}");
        let mut error: &dyn std::error::Error = &refused;
        while let Some(source) = error.source() {
            said = format!("{said}: {source}");
            error = source;
        }
        assert_eq!(said.matches(cause).count(), 1, "{said}");
        assert!(!said.contains("at line"), "{said}");
    }
    drop(silent);
}
