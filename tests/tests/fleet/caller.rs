//! Somebody who asks a replica over HTTP/1.1: one request, one connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::service::Process;

/// How long an export may take on a busy machine.
const WITHIN: Duration = Duration::from_mins(3);

/// Who asks.
pub(crate) struct Caller {
    login: String,
    password: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

impl Caller {
    pub(crate) fn new(login: &str, password: &str) -> Self {
        Self {
            login: login.to_owned(),
            password: password.to_owned(),
        }
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) fn get(&self, replica: &Process, path: &str) -> Answer {
        self.send(replica, "GET", path, "")
    }

    pub(crate) fn send(&self, replica: &Process, method: &str, path: &str, body: &str) -> Answer {
        let credentials = STANDARD.encode(format!("{}:{}", self.login, self.password));
        let headers =
            format!("authorization: Basic {credentials}\r\ncontent-type: application/json\r\n");
        ask(replica, method, path, &headers, body)
    }

    /// Asks for a part of something.
    pub(crate) fn get_part(&self, replica: &Process, path: &str, part: Range<usize>) -> Answer {
        let credentials = STANDARD.encode(format!("{}:{}", self.login, self.password));
        let (first, last) = (part.start, part.end - 1);
        let headers =
            format!("authorization: Basic {credentials}\r\nrange: bytes={first}-{last}\r\n");
        ask(replica, "GET", path, &headers, "")
    }

    /// Signs in with the form. Gives the cookie.
    pub(crate) fn signs_in(&self, replica: &Process) -> String {
        let body = format!("login={}&password={}", self.login, self.password);
        let headers = format!(
            "origin: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n",
            replica.url()
        );
        let answer = ask(replica, "POST", "/sign-in", &headers, &body);
        let cookie = answer.header("set-cookie").unwrap_or_else(|| {
            panic!(
                "{} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )
        });
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// Gives an order. Gives the path of the export.
    pub(crate) fn order(&self, replica: &Process, order: &str) -> String {
        self.order_at(replica, "/api/v1/exports", order)
    }

    /// Orders a campaign. Gives its path.
    pub(crate) fn order_campaign(&self, replica: &Process, order: &str) -> String {
        self.order_at(replica, "/api/v1/campaigns", order)
    }

    fn order_at(&self, replica: &Process, path: &str, order: &str) -> String {
        let answer = self.send(replica, "POST", path, order);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 202, "{body}");
        let location = answer.header("location").expect("a place");
        let path = location
            .find("/api/")
            .map_or(location, |at| &location[at..]);
        path.to_owned()
    }

    pub(crate) fn state(&self, replica: &Process, path: &str) -> String {
        let answer = self.get(replica, path);
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        body["state"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn until(&self, replica: &Process, path: &str, wanted: &str) {
        let until = Instant::now() + WITHIN;
        loop {
            let state = self.state(replica, path);
            if state == wanted {
                return;
            }
            assert!(
                state != "failed",
                "{}",
                String::from_utf8_lossy(&self.get(replica, path).body)
            );
            assert!(Instant::now() < until, "it is {state}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(crate) fn get_with_cookie(replica: &Process, path: &str, cookie: &str) -> Answer {
    ask(replica, "GET", path, &format!("cookie: {cookie}\r\n"), "")
}

fn ask(replica: &Process, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let address = replica.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        head,
        body: answer[end + 4..].to_vec(),
    }
}
