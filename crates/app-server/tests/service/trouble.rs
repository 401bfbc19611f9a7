//! What passes: a platform that is away, a store that is full.

use std::net::SocketAddr;
use std::time::Duration;

use app_server::{Pace, Running, Settings, start};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::bench::{create, quick, until};
use crate::caller::Caller;

/// A way to the sandbox that can be cut.
struct Way {
    address: SocketAddr,
    to: SocketAddr,
    open: Option<JoinHandle<()>>,
}

impl Way {
    async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            address,
            to,
            open: Some(tokio::spawn(pass_on(listener, to))),
        }
    }

    /// Nobody listens any more, and what was under way breaks off.
    async fn cut(&mut self) {
        let open = self.open.take().unwrap();
        open.abort();
        let _ = open.await;
    }

    async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.open = Some(tokio::spawn(pass_on(listener, self.to)));
    }
}

async fn pass_on(listener: TcpListener, to: SocketAddr) {
    let mut passing = tokio::task::JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        passing.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

fn quick_pace() -> Pace {
    Pace {
        first_pause: Duration::from_millis(50),
        longest_pause: Duration::from_millis(50),
        look_every: Duration::from_millis(20),
        sweep_every: Duration::from_millis(50),
        ..Pace::default()
    }
}

struct Bench {
    forge: sandbox::Running,
    way: Way,
    service: Running,
    _folder: tempfile::TempDir,
}

async fn bench(scenario: sandbox::Scenario, change: impl FnOnce(&mut Settings)) -> Bench {
    let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), scenario)
        .await
        .unwrap();
    let host = forge.url().strip_prefix("http://").unwrap();
    let to = host.split('/').next().unwrap().parse().unwrap();
    let way = Way::to(to).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/api", way.address);
    let mut settings = Settings::new(url, folder.path().join("data"));
    settings.pace = quick_pace();
    change(&mut settings);
    let service = start(settings).await.unwrap();
    Bench {
        forge,
        way,
        service,
        _folder: folder,
    }
}

impl Bench {
    fn user(&self) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(self.service.url(), &user.login, &user.password)
    }
}

#[tokio::test]
async fn a_platform_that_goes_away_is_waited_for_and_the_run_goes_on() {
    let mut scenario = quick();
    scenario.timing.export_millis = 400;
    let mut bench = bench(scenario, |_| {}).await;
    let user = bench.user();
    let path = create(
        &user,
        r#"{"include":["profile","appliances","mysoftware"]}"#,
    )
    .await;
    while bench.forge.platform().open_tickets().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bench.way.cut().await;
    // Accepted credentials are not checked again for a minute.
    let waiting = until(&user, &path, "waiting").await;
    assert_eq!(waiting["waiting_for"], "platform", "{waiting:#}");
    let notes = waiting["notes"].to_string();
    assert!(notes.contains("could not connect"), "{notes}");
    bench.way.mend().await;
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    assert_eq!(bench.forge.platform().open_tickets(), []);
}

#[tokio::test]
async fn a_platform_that_stays_away_fails_the_export() {
    let mut bench = bench(quick(), |settings| {
        settings.give_up_after = Duration::from_millis(100);
    })
    .await;
    let user = bench.user();
    assert_eq!(user.get("/api/v1/exports").await.status, 200);
    bench.way.cut().await;
    let path = create(&user, "{}").await;
    let export = until(&user, &path, "failed").await;
    assert_eq!(
        export["failure"]["message"],
        "the platform was away for too long"
    );
}

#[tokio::test]
async fn a_full_store_lets_exports_wait_until_an_archive_is_deleted() {
    let bench = bench(quick(), |settings| settings.store_limit = Some(1)).await;
    let user = bench.user();
    let first = create(&user, r#"{"include":["profile"]}"#).await;
    // Nothing was kept when it began.
    until(&user, &first, "ready").await;
    let second = create(&user, r#"{"include":["appliances"]}"#).await;
    let waiting = until(&user, &second, "waiting").await;
    assert_eq!(waiting["waiting_for"], "disk-space");
    assert_eq!(user.delete(&first).await.status, 204);
    until(&user, &second, "ready").await;
}
