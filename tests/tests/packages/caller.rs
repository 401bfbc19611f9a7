//! Somebody who uses the service.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_mins(3);

/// Who asks, and where.
pub(crate) struct Caller {
    address: SocketAddr,
    user: String,
}

/// An address of the loopback interface that is free now.
pub(crate) fn free_address() -> SocketAddr {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    taken.local_addr().expect("an address")
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, login: &str, password: &str) -> Self {
        Self {
            address,
            user: format!("{login}:{password}"),
        }
    }

    fn curl(&self, arguments: &[&str], path: &str) -> Vec<u8> {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--noproxy", "*", "--silent"]);
        curl.args(arguments).stdin(Stdio::null());
        curl.arg(format!("http://{}{path}", self.address));
        curl.output().expect("curl").stdout
    }

    fn json(&self, arguments: &[&str], path: &str) -> Value {
        let said = self.curl(&[&["--user", &self.user], arguments].concat(), path);
        let text = String::from_utf8_lossy(&said);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// The status of an answer to somebody who says nothing of themselves.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let asked = ["--output", "/dev/null", "--write-out", "%{http_code}"];
        let said = self.curl(&asked, path);
        let text = String::from_utf8_lossy(&said);
        text.parse().unwrap_or_else(|_| panic!("no status: {text}"))
    }

    /// Asks for everything; the path of the export.
    pub(crate) fn order(&self) -> String {
        let export = self.json(&["--request", "POST"], "/api/v1/exports");
        let id = export["id"].as_str();
        let id = id.unwrap_or_else(|| panic!("{export}"));
        format!("/api/v1/exports/{id}")
    }

    /// Waits until the record is so.
    pub(crate) fn until(&self, export: &str, so: impl Fn(&Value) -> bool) -> Value {
        let from = Instant::now();
        loop {
            let record = self.json(&[], export);
            if so(&record) {
                return record;
            }
            assert!(from.elapsed() < PATIENCE, "waited for nothing: {record}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
