//! Somebody who uses the service through the proxy, with `curl`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::certificates::NAME;
use crate::service::Site;

/// Nothing that is waited for takes this long, whatever its size.
const PATIENCE: Duration = Duration::from_hours(1);

/// Who asks, and whom.
pub(crate) struct Client {
    pub(crate) port: u16,
    pub(crate) authority: PathBuf,
    pub(crate) login: String,
    pub(crate) password: String,
}

impl Client {
    /// Where the service is for those who use it.
    pub(crate) fn origin(&self) -> String {
        format!("https://{NAME}:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.login, &self.password)
    }

    /// `curl` with these arguments. What begins with a slash is a path of the service.
    pub(crate) fn curl(&self, arguments: &[&str]) -> Command {
        let mut curl = self.anonymous(&[]);
        curl.arg("--user");
        curl.arg(format!("{}:{}", self.login, self.password));
        for argument in arguments {
            match argument.strip_prefix('/') {
                Some(_) => curl.arg(self.url(argument)),
                None => curl.arg(argument),
            };
        }
        curl
    }

    /// The same without credentials.
    pub(crate) fn anonymous(&self, arguments: &[&str]) -> Command {
        let mut curl = Command::new("curl");
        // A configuration file, or a proxy of this machine, would change what is tested.
        curl.args(["--disable", "--noproxy", "*", "--resolve"]);
        curl.arg(format!("{NAME}:{}:127.0.0.1", self.port));
        curl.arg("--cacert").arg(&self.authority);
        curl.args(arguments).stdin(Stdio::null());
        curl
    }

    /// The status of an answer.
    pub(crate) fn status(&self, arguments: &[&str]) -> u16 {
        let mut curl = self.curl(arguments);
        curl.args(["--silent", "--write-out", "%{http_code}", "--output"]);
        curl.arg("/dev/null");
        let output = curl.output().expect("curl");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.parse().unwrap_or_else(|_| panic!("no status: {said}"))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let output = self.curl(&["--silent", path]).output().expect("curl");
        let said = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}"))
    }

    /// Asks for everything; the path of the export.
    pub(crate) fn order(&self) -> String {
        let mut curl = self.curl(&["--silent", "--request", "POST", "/api/v1/exports"]);
        let output = curl.output().expect("curl");
        let said = String::from_utf8_lossy(&output.stdout);
        let export: Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}"));
        let id = export["id"].as_str().expect("an id");
        format!("/api/v1/exports/{id}")
    }

    /// Waits until the export is ready.
    pub(crate) fn ready(&self, export: &str) -> Value {
        self.until(export, |record| match record["state"].as_str() {
            Some("ready") => true,
            Some("queued" | "running") => false,
            _ => panic!("{record}"),
        })
    }

    /// Waits until a download is recorded, which happens after its last byte; all that are.
    pub(crate) fn recorded_downloads(&self, export: &str) -> Value {
        let record = self.until(export, |record| record["downloads_total"] != 0);
        record["downloads"].clone()
    }

    fn until(&self, export: &str, so: impl Fn(&Value) -> bool) -> Value {
        let from = Instant::now();
        loop {
            let record = self.json(export);
            if so(&record) {
                return record;
            }
            assert!(from.elapsed() < PATIENCE, "waited for nothing: {record}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The status of an answer to plain HTTP, where the proxy leads to TLS.
    pub(crate) fn in_the_clear(site: &Site) -> String {
        let output = Command::new("curl")
            .args(["--disable", "--noproxy", "*", "--silent"])
            .args(["--output", "/dev/null", "--write-out", "%{http_code}"])
            .args(["--header", &format!("Host: {NAME}")])
            .arg(format!("http://127.0.0.1:{}/", site.clear_port()))
            .output()
            .expect("curl");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
