//! The service in front of platforms of several kinds, with exports in every state.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use app_server::{Settings, start};
use domain::model::UserId;
use reqwest::{Client, Method};
use sandbox::Scenario;
use sandbox::scenario::{Names, Person};
use serde_json::Value;
use tempfile::TempDir;
use tests::kit::quick;
use tokio::runtime::Runtime;

use crate::driver::PATIENCE;

/// A platform and a service in front of it, on threads of their own.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) user: Person,
    pub(crate) colleague: Person,
    pub(crate) administrator: Person,
    client: Client,
    runtime: Runtime,
    _platform: sandbox::Running,
    _server: app_server::Running,
    _data: TempDir,
}

/// Services with exports that the tests look at.
pub(crate) struct Services {
    /// All is well.
    pub(crate) rich: Service,
    /// The page of a complete export on it.
    pub(crate) complete: String,
    /// Names mean harm, and things fail.
    pub(crate) hostile: Service,
    /// The page of a partial export on it.
    pub(crate) partial: String,
    /// The page of a failed export on it.
    pub(crate) failed: String,
    /// Nothing ever ends.
    pub(crate) endless: Service,
    /// The page of an export that is under way on it.
    pub(crate) running: String,
}

const HOSTILE: &str = r#"
[data]
appliances = 30
software = 14
archive-bytes = 2000
others = 3

[timing]
slots = 16
export-millis = 1

[access]
forbidden = ["scans"]
unknown = ["blueprints"]

[[items]]
kind = "appliance"
id = 202
faults = [{ start-refused = { status = 409 } }]

[[items]]
kind = "appliance"
id = 213
faults = [{ start-refused = { status = 409 } }]

[[items]]
kind = "appliance"
id = 219
faults = [{ ends = { how = "detailed-error" } }]

[[items]]
kind = "software"
id = 302
faults = [{ ends = { how = "error" } }]
"#;

impl Services {
    pub(crate) fn start() -> Self {
        let mut scenario = quick();
        scenario.data.appliances = 5;
        scenario.data.archive_bytes = 300_000;
        scenario.timing.export_millis = 600;
        let rich = Service::start(scenario);
        let mut scenario = Scenario::from_toml(HOSTILE).expect("a scenario");
        scenario.data.names = Names::Hostile;
        let hostile = Service::start(scenario);
        let mut scenario = quick();
        scenario.data.names = Names::Hostile;
        scenario.timing.export_millis = 3_600_000;
        let endless = Service::start(scenario);
        let running = endless.ask("{}");
        endless.until(&running, |export| {
            export["progress"]["active"]
                .as_array()
                .is_some_and(|active| !active.is_empty())
        });
        endless.order_campaign();
        let partial = hostile.ask(r#"{"exclude":["usage"],"redact_secrets":true}"#);
        hostile.until(&partial, |export| export["state"] == "ready");
        let failed = hostile.ask(r#"{"include":["appliances"],"appliances":[9999]}"#);
        hostile.until(&failed, |export| export["state"] == "failed");
        let complete = rich.ask(r#"{"format":"tar.gz"}"#);
        rich.until(&complete, |export| export["state"] == "ready");
        let page = |path: String| path.replace("/api/v1", "");
        Self {
            rich,
            complete: page(complete),
            hostile,
            partial: page(partial),
            failed: page(failed),
            endless,
            running: page(running),
        }
    }
}

impl Service {
    fn start(scenario: Scenario) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (user, colleague) = (scenario.user.clone(), scenario.colleague.clone());
        let administrator = scenario.administrator.clone();
        let data = tempfile::tempdir().expect("a folder");
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let platform = runtime.block_on(sandbox::serve(any, scenario));
        let platform = platform.expect("a free port");
        let mut settings = Settings::new(platform.url(), data.path().join("data"));
        let login = UserId::parse(&administrator.login).expect("a login");
        settings.administrators.push(login);
        let service = runtime.block_on(start(settings)).expect("it starts");
        Self {
            url: service.url().to_owned(),
            user,
            colleague,
            administrator,
            client: Client::builder().no_proxy().build().expect("a client"),
            runtime,
            _platform: platform,
            _server: service,
            _data: data,
        }
    }

    fn call(&self, method: Method, path: &str, body: &str) -> (String, Value) {
        self.call_as(&self.user, method, path, body)
    }

    /// Orders exports of everybody as the administrator.
    fn order_campaign(&self) {
        let order = r#"{"everyone":true}"#;
        let path = "/api/v1/campaigns";
        let (location, campaign) = self.call_as(&self.administrator, Method::POST, path, order);
        assert!(!location.is_empty(), "{campaign:#}");
    }

    fn call_as(&self, who: &Person, method: Method, path: &str, body: &str) -> (String, Value) {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .basic_auth(&who.login, Some(&who.password))
            .header("content-type", "application/json")
            .body(body.to_owned());
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let location = answer.headers().get("location").cloned();
            let location = location.map(|it| it.to_str().expect("a path").to_owned());
            let bytes = answer.bytes().await.expect("a body");
            let value = serde_json::from_slice(&bytes).expect("JSON");
            (location.unwrap_or_default(), value)
        })
    }

    /// Asks for an export as the user; where it is.
    fn ask(&self, order: &str) -> String {
        let (location, export) = self.call(Method::POST, "/api/v1/exports", order);
        assert!(!location.is_empty(), "{export:#}");
        location
    }

    fn until(&self, path: &str, so: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let (_, export) = self.call(Method::GET, path, "");
            if so(&export) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{export:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
