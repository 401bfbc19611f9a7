//! What passes: a platform that is away, a store that is full.

use std::net::SocketAddr;
use std::time::Duration;

use app_server::{Pace, Running, Settings, start};
use domain::model::UserId;
use sandbox::scenario::{Fault, ItemKind, ItemScenario, Times};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::bench::{create, endless, quick, until};
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

    /// A gateway that answers everything with this status, and says to come back much later.
    async fn overload(&mut self, status: u16) {
        self.cut().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.open = Some(tokio::spawn(refuse_all(listener, status)));
    }

    async fn mend(&mut self) {
        if self.open.is_some() {
            self.cut().await;
        }
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

async fn refuse_all(listener: TcpListener, status: u16) {
    let mut refused = tokio::task::JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        refused.spawn(async move {
            let answer = format!(
                "HTTP/1.1 {status} Not Now\r\nretry-after: 3600\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let mut head = [0; 4096];
            let _ = near.read(&mut head).await;
            let _ = near.write_all(answer.as_bytes()).await;
            let _ = near.shutdown().await;
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
    folder: tempfile::TempDir,
}

async fn bench(scenario: sandbox::Scenario, change: impl FnOnce(&mut Settings)) -> Bench {
    let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), scenario)
        .await
        .unwrap();
    let host = forge.url().strip_prefix("http://").unwrap();
    let to = host.split('/').next().unwrap().parse().unwrap();
    let way = Way::to(to).await;
    let folder = tempfile::tempdir().unwrap();
    let service = start(settings(&way, &folder, change)).await.unwrap();
    Bench {
        forge,
        way,
        service,
        folder,
    }
}

fn settings(way: &Way, folder: &tempfile::TempDir, change: impl FnOnce(&mut Settings)) -> Settings {
    let url = format!("http://{}/api", way.address);
    let mut settings = Settings::new(url, folder.path().join("data"));
    settings.pace = quick_pace();
    change(&mut settings);
    settings
}

/// Appliances and bundles: what takes the platform's time.
const ITEMS: &str = r#"{"include":["profile","appliances","mysoftware"]}"#;

impl Bench {
    /// The same, after a new start with other settings.
    async fn again(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.service.shutdown().await;
        let service = start(settings(&self.way, &self.folder, change)).await;
        Self {
            service: service.unwrap(),
            ..self
        }
    }

    async fn until_tickets(&self) {
        while self.forge.platform().open_tickets().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn user(&self) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(self.service.url(), &user.login, &user.password)
    }
}

#[tokio::test]
async fn a_platform_that_goes_away_is_waited_for_and_the_run_goes_on() {
    let mut bench = bench(endless(), |_| {}).await;
    let user = bench.user();
    let path = create(&user, ITEMS).await;
    bench.until_tickets().await;
    bench.way.cut().await;
    // Accepted credentials are not checked again for a minute.
    let waiting = until(&user, &path, "waiting").await;
    assert_eq!(waiting["waiting_for"], "platform", "{waiting:#}");
    let notes = waiting["notes"].to_string();
    assert!(notes.contains("could not connect"), "{notes}");
    bench.forge.platform().let_end();
    bench.way.mend().await;
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    no_unreported_tickets(&bench.forge, &export);
}

/// A ticket of software whose start was cut off is in no list of the platform: it can only be reported.
fn no_unreported_tickets(forge: &sandbox::Running, export: &serde_json::Value) {
    for ticket in forge.platform().open_tickets() {
        assert_eq!(ticket.kind, ItemKind::Software, "{ticket:?}");
        let doubt = format!("start of mysoftware {} was lost", ticket.item);
        assert!(export["report"].to_string().contains(&doubt), "{ticket:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_refuses_everything_in_the_middle_of_a_run_is_waited_for() {
    for status in [502, 503, 504] {
        let mut bench = bench(endless(), |_| {}).await;
        let user = bench.user();
        let path = create(&user, ITEMS).await;
        bench.until_tickets().await;
        bench.way.overload(status).await;
        let waiting = until(&user, &path, "waiting").await;
        assert_eq!(waiting["waiting_for"], "platform", "{waiting:#}");
        assert!(
            waiting["notes"].to_string().contains(&status.to_string()),
            "{waiting:#}"
        );
        bench.forge.platform().let_end();
        bench.way.mend().await;
        let export = until(&user, &path, "ready").await;
        assert_eq!(export["outcome"], "complete", "{export:#}");
        assert_eq!(export["report"]["failures"], serde_json::json!([]));
        no_unreported_tickets(&bench.forge, &export);
    }
}

#[tokio::test]
async fn a_platform_that_is_killed_and_started_again_is_waited_for() {
    let bench = bench(endless(), |_| {}).await;
    let user = bench.user();
    let path = create(&user, ITEMS).await;
    bench.until_tickets().await;
    let (address, platform) = (bench.way.to, bench.forge.platform().clone());
    bench.forge.shutdown().await;
    let waiting = until(&user, &path, "waiting").await;
    assert_eq!(waiting["waiting_for"], "platform", "{waiting:#}");
    platform.let_end();
    let forge = sandbox::serve_platform(address, platform).await.unwrap();
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    no_unreported_tickets(&forge, &export);
}

#[tokio::test]
async fn one_item_that_is_always_refused_with_503_is_no_platform_that_is_away() {
    let refused = Fault::Refuse {
        status: 503,
        retry_after: Some(3_600),
    };
    let request = "POST users/*/appliances/201/exports".parse().unwrap();
    let bench = bench(quick().with_fault(request, Times::Always, refused), |_| {}).await;
    let user = bench.user();
    let path = create(&user, ITEMS).await;
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "partial", "{export:#}");
    assert_eq!(export["report"]["failures"][0]["id"], 201, "{export:#}");
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
async fn a_failed_export_is_tried_again_and_goes_on_from_where_it_stood() {
    let scenario = endless();
    let administrator = scenario.administrator.clone();
    let mut bench = bench(scenario, |settings| {
        settings.give_up_after = Duration::from_millis(100);
        settings.administrators = vec![UserId::parse(&administrator.login).unwrap()];
    })
    .await;
    let user = bench.user();
    let path = create(&user, ITEMS).await;
    bench.until_tickets().await;
    bench.way.overload(503).await;
    let failed = until(&user, &path, "failed").await;
    assert!(failed["resumable_until"].is_string(), "{failed:#}");
    bench.forge.platform().let_end();
    bench.way.mend().await;
    let retry = format!("{path}/retry");
    let again = user.send("POST", &retry, &[], "").await;
    assert_eq!(again.status, 202);
    assert!(again.headers.contains_key("retry-after"));
    let export = until(&user, &path, "ready").await;
    assert_eq!(export["outcome"], "complete", "{export:#}");
    no_unreported_tickets(&bench.forge, &export);
    assert_eq!(user.send("POST", &retry, &[], "").await.status, 409);
    let root = Caller::new(
        bench.service.url(),
        &administrator.login,
        &administrator.password,
    );
    let trail = root.get("/api/v1/audit").await.json().to_string();
    for action in ["export-failed", "export-retried", "export-ready"] {
        assert!(trail.contains(action), "{action}: {trail}");
    }
}

/// An export whose first archives fill the store while the others still run on the platform.
fn growing() -> sandbox::Scenario {
    let mut scenario = quick();
    scenario.data.archive_bytes = 200_000;
    let slow = ItemScenario {
        export_millis: Some(3_600_000),
        ..ItemScenario::new(ItemKind::Software, 302)
    };
    scenario.with_item(slow)
}

#[tokio::test]
async fn an_export_that_fills_the_store_waits_and_others_go_on() {
    // Enough for its own three archives, but not beside another one.
    let bench = bench(growing(), |settings| settings.store_limit = Some(720_000)).await;
    let scenario = bench.forge.platform().scenario().clone();
    let user = bench.user();
    let colleague = Caller::new(
        bench.service.url(),
        &scenario.colleague.login,
        &scenario.colleague.password,
    );
    let small = create(&colleague, r#"{"include":["profile"]}"#).await;
    until(&colleague, &small, "ready").await;
    // Something else that is kept: with it the store is full.
    let kept = create(&user, r#"{"include":["appliances"],"appliances":[201]}"#).await;
    until(&user, &kept, "ready").await;
    let path = create(&user, ITEMS).await;
    let waiting = until(&user, &path, "waiting").await;
    assert_eq!(waiting["waiting_for"], "disk-space", "{waiting:#}");
    assert_eq!(colleague.get(&format!("{small}/archive")).await.status, 200);
    assert_eq!(user.delete(&kept).await.status, 204);
    until(&user, &path, "running").await;
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(bench.forge.platform().open_tickets(), []);
}

#[tokio::test]
async fn an_export_that_is_larger_than_the_store_fails_and_says_so() {
    let bench = bench(growing(), |settings| settings.store_limit = Some(300_000)).await;
    let user = bench.user();
    let path = create(&user, ITEMS).await;
    let failed = until(&user, &path, "failed").await;
    let message = failed["failure"]["message"].as_str().unwrap();
    assert!(message.contains("larger than all"), "{failed:#}");
    assert_eq!(bench.forge.platform().open_tickets(), []);
    let small = create(&user, r#"{"include":["profile"]}"#).await;
    until(&user, &small, "ready").await;
}

#[tokio::test]
async fn a_full_store_lets_exports_wait_until_an_archive_is_deleted() {
    let mut scenario = quick();
    scenario.data.archive_bytes = 500_000;
    let bench = bench(scenario, |_| {}).await;
    let first = create(&bench.user(), r#"{"include":["appliances"]}"#).await;
    until(&bench.user(), &first, "ready").await;
    // The store is full with the first, and would not be with the second alone.
    let bench = bench
        .again(|settings| settings.store_limit = Some(1_000_000))
        .await;
    let user = bench.user();
    let second = create(&user, r#"{"include":["profile"]}"#).await;
    let waiting = until(&user, &second, "waiting").await;
    assert_eq!(waiting["waiting_for"], "disk-space");
    assert_eq!(user.delete(&first).await.status, 204);
    until(&user, &second, "ready").await;
}
