//! Chromium, by way of `chromedriver`: the few commands of `WebDriver` and of Chromium's own protocol that the tests need.
//!
//! No client library: the one that fits would turn on `serde_json/preserve_order`, and with it other code than is released, in every
//! test of the workspace.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Nothing that a test waits for takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Headless, and silent on the network.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A `chromedriver` on a free port. Dropped, it ends.
pub(crate) struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: `cargo xtask test` installs it where it may");
        let printed = BufReader::new(process.stdout.take().expect("its output"));
        let port = printed
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.rsplit_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver prints its port");
        Self {
            process,
            url: format!("http://127.0.0.1:{port}/session"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser of its own, with an empty profile.
pub(crate) struct Browser {
    client: Client,
    session: String,
}

impl Browser {
    pub(crate) async fn open(driver: &Driver) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client");
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "timeouts": { "script": 120_000 },
            "goog:loggingPrefs": { "performance": "ALL" },
            "goog:chromeOptions": { "args": FLAGS },
        } } });
        let made = call(&client, Method::POST, &driver.url, &wanted).await;
        let id = made["sessionId"].as_str().expect("a session");
        Self {
            client,
            session: format!("{}/{id}", driver.url),
        }
    }

    pub(crate) async fn close(self) {
        call(&self.client, Method::DELETE, &self.session, &json!({})).await;
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let url = format!("{}/{command}", self.session);
        call(&self.client, Method::POST, &url, &body).await
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn chromium(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("goog/cdp/execute", body).await
    }

    /// Opens a file, as a person does with a double click.
    pub(crate) async fn go(&self, page: &Path) {
        self.visit(&format!("file://{}", page.display())).await;
    }

    /// Goes to an address.
    pub(crate) async fn visit(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    /// The address of the page that is open.
    pub(crate) async fn address(&self) -> String {
        let url = format!("{}/url", self.session);
        let found = call(&self.client, Method::GET, &url, &json!({})).await;
        found.as_str().expect("an address").to_owned()
    }

    /// Clicks on the link or button that this selects, and waits for the page that this opens.
    pub(crate) async fn follow(&self, selector: &str) {
        let before = self.run("return performance.timeOrigin;").await;
        self.click(selector).await;
        let began = Instant::now();
        loop {
            let now = "return [performance.timeOrigin, document.readyState];";
            let now = self.run(now).await;
            if now[0] != before && now[1] == "complete" {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{selector} opens nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Clicks on the element that this selects.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("element/{element}/click"), json!({}))
            .await;
    }

    /// Types into the element that this selects.
    pub(crate) async fn fill_in(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        let typed = json!({ "text": text });
        self.post(&format!("element/{element}/value"), typed).await;
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("element", wanted).await;
        let id = found.as_object().and_then(|found| found.values().next());
        id.and_then(Value::as_str).expect("an element").to_owned()
    }

    /// Whether something is selected by this, visible or not.
    pub(crate) async fn has(&self, selector: &str) -> bool {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("elements", wanted).await;
        found.as_array().is_some_and(|found| !found.is_empty())
    }

    /// Runs a script from outside, which the page's own policy does not concern, and takes what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, json!([])).await
    }

    /// The same for a script that takes these arguments.
    pub(crate) async fn run_with(&self, script: &str, arguments: Value) -> Value {
        self.post(
            "execute/sync",
            json!({ "script": script, "args": arguments }),
        )
        .await
    }

    /// Runs a script that calls its last argument with its result.
    pub(crate) async fn run_until_called(&self, script: &str) -> Value {
        self.post("execute/async", json!({ "script": script, "args": [] }))
            .await
    }

    /// Every address that was asked for since the last call.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let log = self.post("se/log", json!({ "type": "performance" })).await;
        let entries = log.as_array().expect("a log");
        let asked = entries.iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &message["message"];
            (event["method"] == "Network.requestWillBeSent").then(|| {
                event["params"]["request"]["url"]
                    .as_str()
                    .map(str::to_owned)
            })?
        });
        asked.collect()
    }
}

async fn call(client: &Client, method: Method, url: &str, body: &Value) -> Value {
    let answer = client
        .request(method, url)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .expect("chromedriver answers");
    let bytes = answer.bytes().await.expect("its answer");
    let message: Value = serde_json::from_slice(&bytes).expect("JSON");
    let value = message["value"].clone();
    assert!(value["error"].is_null(), "{url}: {}", value["message"]);
    value
}
