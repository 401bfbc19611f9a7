use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::scenario::{
    Chaos, Damage, Fault, Framing, Ids, ItemFault, ItemKind, ItemScenario, Ranges, RequestPattern,
    Times,
};
use domain::model::{OutputFormat, Representation};

/// What came back, byte for byte.
struct Received {
    head: String,
    body: Vec<u8>,
    ended: io::Result<()>,
}

impl Received {
    fn status(&self) -> u16 {
        self.head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn leaf(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text().split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0)
    }
}

struct Client {
    running: Running,
}

impl Client {
    async fn of(mut scenario: Scenario) -> Self {
        scenario.timing.export_millis = 0;
        scenario.timing.stall_millis.get_or_insert(20);
        Self {
            running: serve(([127, 0, 0, 1], 0).into(), scenario).await.unwrap(),
        }
    }

    async fn with_fault(request: &str, fault: Fault) -> Self {
        Self::of(Scenario::default().with_fault(request.parse().unwrap(), Times::Always, fault))
            .await
    }

    async fn send(&self, method: &str, path: &str, headers: &str) -> Received {
        self.send_limited(method, path, headers, u64::MAX).await
    }

    async fn send_limited(&self, method: &str, path: &str, headers: &str, limit: u64) -> Received {
        let address = self
            .running
            .url()
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let credentials =
            STANDARD.encode(format!("jleaver:{}", self.running.announcement().password));
        let request = format!(
            "{method} /api/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Basic {credentials}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let ended = stream.take(limit).read_to_end(&mut bytes).await.map(|_| ());
        let split = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .map_or(bytes.len(), |at| at + 4);
        let body = bytes.split_off(split);
        Received {
            head: String::from_utf8(bytes).unwrap(),
            body,
            ended,
        }
    }

    async fn get(&self, path: &str) -> Received {
        self.send("GET", path, "").await
    }

    async fn finished_export(&self, path: &str) -> String {
        let started = self
            .send(
                "POST",
                &format!("{path}/exports?outputFormat=yaml"),
                "Content-Length: 0\r\n",
            )
            .await;
        assert_eq!(started.status(), 201, "{}", started.head);
        format!("{path}/exports/{}/downloads", started.leaf("dbId").unwrap())
    }
}

fn damaged(damage: Damage) -> Scenario {
    let fault = ItemFault::Archive {
        damage,
        times: Times::First(1),
    };
    Scenario::default().with_item(ItemScenario::new(ItemKind::Appliance, 201).with_fault(fault))
}

const APPLIANCE: &str = "users/jleaver/appliances/201";

fn dechunked(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (whole, true);
        }
        body = &body[end + 2..];
        whole.extend_from_slice(&body[..length.min(body.len())]);
        body = body.get(length + 2..).unwrap_or_default();
    }
    (whole, false)
}

#[tokio::test]
async fn documents_come_as_xml_and_as_json_and_refusals_as_documents() {
    let client = Client::of(Scenario::default()).await;
    let xml = client.get("users/jleaver").await;
    assert_eq!(
        (
            xml.status(),
            xml.header("content-type"),
            xml.header("version")
        ),
        (200, Some("application/xml"), Some("3.8.13"))
    );
    assert_eq!(xml.leaf("loginName"), Some("jleaver"));
    let json = client
        .send("GET", "users/jleaver", "Accept: application/json\r\n")
        .await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&json.body).unwrap()["user"]["dbId"],
        21
    );
    let refused = client.get("users/jleaver/appliances/9").await;
    assert_eq!(
        (
            refused.status(),
            refused.leaf("statusCode"),
            refused.leaf("requestUri")
        ),
        (404, Some("404"), Some("users/jleaver/appliances/9"))
    );
}

#[tokio::test]
async fn every_framing_brings_the_same_archive() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let mut scenario = Scenario::default();
        scenario.downloads.framing = framing;
        let client = Client::of(scenario).await;
        let path = client.finished_export(APPLIANCE).await;
        let received = client.get(&path).await;
        let expected = client
            .running
            .platform()
            .archive_content(ItemKind::Appliance, 201, OutputFormat::Yaml)
            .unwrap();
        let body = match framing {
            Framing::Length => {
                assert_eq!(
                    received.header("content-length"),
                    Some(expected.len().to_string().as_str())
                );
                received.body
            }
            Framing::Chunked => {
                let (body, ended) = dechunked(&received.body);
                assert!(ended);
                body
            }
            Framing::Close => {
                assert!(received.head.starts_with("HTTP/1.0"));
                assert_eq!(
                    (
                        received.header("content-length"),
                        received.header("transfer-encoding")
                    ),
                    (None, None)
                );
                received.body
            }
        };
        assert!(body == expected, "{framing:?}");
    }
}

#[tokio::test]
async fn a_reset_and_a_lost_answer_differ_in_what_was_done() {
    let start = format!("{APPLIANCE}/exports");
    let reset = Client::with_fault("POST users/*/appliances/*/exports", Fault::Reset).await;
    let received = reset.send("POST", &start, "Content-Length: 0\r\n").await;
    assert_eq!(
        received.ended.unwrap_err().kind(),
        io::ErrorKind::ConnectionReset
    );
    assert!(reset.running.platform().open_tickets().is_empty());
    let lost = Client::with_fault("POST users/*/appliances/*/exports", Fault::LostAnswer).await;
    assert!(
        lost.send("POST", &start, "Content-Length: 0\r\n")
            .await
            .head
            .is_empty()
    );
    assert_eq!(lost.running.platform().open_tickets().len(), 1);
}

#[tokio::test]
async fn a_truncated_archive_ends_at_the_exact_byte() {
    for (after, framing) in [
        (0, Framing::Length),
        (1, Framing::Length),
        (70_001, Framing::Length),
        (70_001, Framing::Chunked),
    ] {
        let client = Client::of(damaged(Damage::Truncated { after, framing })).await;
        let path = client.finished_export(APPLIANCE).await;
        let received = client.get(&path).await;
        let body = if framing == Framing::Chunked {
            let (body, ended) = dechunked(&received.body);
            assert!(!ended);
            body
        } else {
            let declared: u64 = received.header("content-length").unwrap().parse().unwrap();
            assert!(declared > after);
            received.body
        };
        assert_eq!(body.len() as u64, after, "{framing:?}");
    }
}

#[tokio::test]
async fn a_silent_truncation_shows_in_the_content_alone() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let client = Client::of(damaged(Damage::SilentlyTruncated {
            after: 70_001,
            framing,
        }))
        .await;
        let path = client.finished_export(APPLIANCE).await;
        let received = client.get(&path).await;
        let body = match framing {
            Framing::Chunked => {
                let (body, ended) = dechunked(&received.body);
                assert!(ended);
                body
            }
            Framing::Length => {
                assert_eq!(received.header("content-length"), Some("70001"));
                received.body
            }
            Framing::Close => received.body,
        };
        assert_eq!(body.len(), 70_001);
        let mut unpacked = Vec::new();
        assert!(
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut unpacked)
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_damaged_archive_comes_whole_the_next_time() {
    let client = Client::of(damaged(Damage::BitFlip { at: 5_000 })).await;
    let path = client.finished_export(APPLIANCE).await;
    let (first, second) = (client.get(&path).await.body, client.get(&path).await.body);
    let different: Vec<usize> = (0..first.len())
        .filter(|place| first[*place] != second[*place])
        .collect();
    assert_eq!(different, [5_000]);
    assert_eq!(client.running.platform().open_tickets()[0].downloads, 2);
    for damage in [Damage::Html, Damage::Empty] {
        let client = Client::of(damaged(damage)).await;
        let path = client.finished_export(APPLIANCE).await;
        let received = client.get(&path).await;
        assert_eq!(received.status(), 200);
        assert!(received.body.len() < 1000);
    }
}

#[tokio::test]
async fn a_range_is_honoured_only_where_the_scenario_says_so() {
    let client = Client::of(Scenario::default()).await;
    let path = client.finished_export(APPLIANCE).await;
    let plain = client.send("GET", &path, "Range: bytes=1000-\r\n").await;
    assert_eq!(
        (
            plain.status(),
            plain.header("accept-ranges"),
            plain.header("etag")
        ),
        (200, None, None)
    );
    let mut scenario = Scenario::default();
    scenario.downloads.ranges = Ranges::Honoured;
    let client = Client::of(scenario).await;
    let path = client.finished_export(APPLIANCE).await;
    let whole = client.get(&path).await;
    let etag = whole.header("etag").unwrap();
    let part = client
        .send(
            "GET",
            &path,
            &format!("Range: bytes=1000-\r\nIf-Range: {etag}\r\n"),
        )
        .await;
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.header("content-range").unwrap(),
        format!("bytes 1000-{}/{}", whole.body.len() - 1, whole.body.len())
    );
    assert!(part.body == whole.body[1000..]);
    let stale = client
        .send(
            "GET",
            &path,
            "Range: bytes=1000-\r\nIf-Range: \"other\"\r\n",
        )
        .await;
    assert!(stale.status() == 200 && stale.body == whole.body);
    assert_eq!(
        client
            .send("GET", &path, "Range: bytes=99999999-\r\n")
            .await
            .status(),
        416
    );
}

#[tokio::test]
async fn refusals_of_the_platform_and_of_a_proxy_carry_retry_after() {
    let client = Client::with_fault(
        "GET users/*",
        Fault::Refuse {
            status: 503,
            retry_after: Some(7),
        },
    )
    .await;
    let refused = client.get("users/jleaver").await;
    assert_eq!(
        (
            refused.status(),
            refused.header("retry-after"),
            refused.leaf("statusCode")
        ),
        (503, Some("7"), Some("503"))
    );
    let client = Client::with_fault(
        "GET users/*",
        Fault::ProxyError {
            status: 502,
            retry_after: None,
        },
    )
    .await;
    let refused = client.get("users/jleaver").await;
    assert_eq!(
        (refused.status(), refused.header("content-type")),
        (502, Some("text/html;charset=UTF-8"))
    );
}

#[tokio::test]
async fn slow_bytes_take_their_time_from_the_first_header_on() {
    let client = Client::with_fault(
        "GET status",
        Fault::Slow {
            bytes_per_second: 10_000,
        },
    )
    .await;
    let started = Instant::now();
    let received = client.get("status").await;
    assert_eq!(received.leaf("alive"), Some("true"));
    assert!(
        started.elapsed() > Duration::from_millis(30),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_stall_ends_with_the_connection_after_its_time() {
    let client = Client::with_fault("GET status", Fault::Stall).await;
    assert!(client.get("status").await.head.is_empty());
    let client = Client::of(damaged(Damage::Stalled { after: 1234 })).await;
    let path = client.finished_export(APPLIANCE).await;
    assert_eq!(client.get(&path).await.body.len(), 1234);
}

#[tokio::test]
async fn hostile_documents_are_as_hostile_as_they_are_called() {
    let path = "users/jleaver/appliances";
    let body = |fault| async move {
        Client::with_fault("GET users/*/appliances", fault)
            .await
            .get(path)
            .await
    };
    assert!(body(Fault::Doctype).await.text().contains("<!DOCTYPE"));
    let bomb = body(Fault::EntityExpansion).await;
    assert!(bomb.text().contains("&lol12;</") && bomb.body.len() < 100_000);
    assert!(String::from_utf8(body(Fault::InvalidUtf8).await.body).is_err());
    let deep = body(Fault::DeepXml { levels: 10_000 }).await;
    assert_eq!(deep.text().matches("<a>").count(), 10_000);
    let json = body(Fault::JsonForXml).await;
    assert!(json.header("content-type") == Some("application/xml") && json.body.starts_with(b"{"));
    assert_eq!(
        body(Fault::GzipEncoding).await.header("content-encoding"),
        Some("gzip")
    );
    assert!(
        !body(Fault::Ids(Ids::Missing))
            .await
            .text()
            .contains("<dbId>")
    );
    let addressed = body(Fault::Ids(Ids::InUri)).await;
    assert!(
        !addressed.text().contains("<dbId>") && addressed.text().contains("/appliances/201</uri>")
    );
    assert!(
        body(Fault::Ids(Ids::Negative))
            .await
            .text()
            .contains("<dbId>-201</dbId>")
    );
    let base = "https://elsewhere.example/api/".to_owned();
    assert!(
        body(Fault::ForeignUris { base })
            .await
            .text()
            .contains("<uri>https://elsewhere.example/api/users/jleaver/appliances/201</uri>")
    );
    let redirect = body(Fault::Redirect {
        location: "https://elsewhere.example/".to_owned(),
        status: 302,
    })
    .await;
    assert_eq!(
        (redirect.status(), redirect.header("location")),
        (302, Some("https://elsewhere.example/"))
    );
    assert!(body(Fault::HtmlLogin).await.text().contains("password"));
}

#[tokio::test]
async fn a_huge_document_is_valid_and_an_endless_list_does_not_end() {
    let client = Client::with_fault(
        "GET users/*/appliances",
        Fault::HugeDocument { bytes: 200_000 },
    )
    .await;
    let huge = client.get("users/jleaver/appliances").await;
    let (huge, _) = dechunked(&huge.body);
    assert_eq!(huge.len(), 200_000);
    roxmltree::Document::parse(std::str::from_utf8(&huge).unwrap()).unwrap();
    for accept in ["application/xml", "application/json"] {
        let client = Client::with_fault("GET users/*/appliances", Fault::EndlessList).await;
        let headers = format!("Accept: {accept}\r\n");
        let endless = client
            .send_limited("GET", "users/jleaver/appliances", &headers, 3_000_000)
            .await;
        assert!(endless.body.len() > 2_900_000);
    }
    let client = Client::with_fault("GET users/*/appliances", Fault::EndlessPages).await;
    let (first, later) = (
        client.get("users/jleaver/appliances").await,
        client
            .get("users/jleaver/appliances?offset=6000&count=6")
            .await,
    );
    assert_eq!(first.body, later.body);
}

#[tokio::test]
async fn chaos_lets_everything_through_in_the_end() {
    let chaos = Chaos {
        seed: 3,
        probability: 0.7,
        in_a_row: 3,
        kinds: vec![],
        spare: vec![],
    };
    let client = Client::of(Scenario {
        chaos: Some(chaos),
        ..Scenario::default()
    })
    .await;
    let expected = client
        .running
        .platform()
        .document("users/jleaver/appliances", Representation::Xml)
        .unwrap();
    let mut wrong = 0;
    for _ in 0..20 {
        let received = client.get("users/jleaver/appliances").await;
        if received.status() != 200 || received.body != expected {
            wrong += 1;
        }
    }
    assert!((5..=15).contains(&wrong), "{wrong} of 20 went wrong");
}

#[tokio::test]
async fn a_dropped_sandbox_takes_no_more_connections() {
    let client = Client::of(Scenario::default()).await;
    let address = client
        .running
        .url()
        .trim_start_matches("http://")
        .trim_end_matches("/api")
        .to_owned();
    client.running.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn requests_are_recorded_without_keys_and_signatures() {
    let client = Client::of(Scenario::default()).await;
    client
        .get("users/jleaver/appliances?count=2&apiKey=K&signature=S")
        .await;
    client.get("users/jleaver/appliances").await;
    let platform = client.running.platform();
    assert_eq!(platform.requests()[0].query, "count=2");
    assert_eq!(
        platform.count_requests(&"GET users/*/appliances".parse().unwrap()),
        2
    );
    assert_eq!(platform.requests_in_all(), 2);
}

#[tokio::test]
async fn a_request_that_was_made_to_go_wrong_is_recorded_as_such() {
    let pattern: RequestPattern = "GET users/*/roles".parse().unwrap();
    let scenario = Scenario::default().with_fault(
        pattern.clone(),
        Times::First(1),
        Fault::Refuse {
            status: 503,
            retry_after: None,
        },
    );
    let client = Client::of(scenario).await;
    client.get("users/jleaver/roles").await;
    client.get("users/jleaver/roles").await;
    let platform = client.running.platform();
    assert_eq!(platform.count_struck(&pattern), 1);
    assert_eq!(platform.count_requests(&pattern), 2);
}
