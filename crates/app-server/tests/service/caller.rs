//! Somebody who speaks HTTP/1.1 by hand: one request, one connection, nothing that a library would smooth over.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Who asks.
pub(crate) struct Caller {
    address: String,
    authorization: String,
}

/// What came back. Names of headers are in lower case.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Caller {
    pub(crate) fn new(url: &str, login: &str, password: &str) -> Self {
        Self {
            address: url.strip_prefix("http://").unwrap().to_owned(),
            authorization: format!("Basic {}", STANDARD.encode(format!("{login}:{password}"))),
        }
    }

    /// The header that says who this is.
    pub(crate) fn authorization(&self) -> &str {
        &self.authorization
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        let json = [("content-type", "application/json")];
        self.send("POST", "/api/v1/exports", &json, body).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            self.authorization,
            body.len()
        );
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        request.push_str(body);
        send_raw(&self.address, request.as_bytes()).await
    }
}

/// Sends a request as it is, on a connection of its own.
pub(crate) async fn send_raw(address: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    parse(&answer)
}

/// Reads a whole answer; checks that its body has the length that was announced.
pub(crate) fn parse(answer: &[u8]) -> Answer {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: BTreeMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    if let Some(length) = headers.get("content-length")
        && !body.is_empty()
    {
        assert_eq!(body.len().to_string(), *length);
    }
    Answer {
        status: status.parse().unwrap(),
        headers,
        body,
    }
}
