//! What many downloads at the same time cost. A process of its own, so that its memory is the service's and little else.
//!
//! `DOWNLOADS=500 cargo test --release -p app-server --test downloads -- --nocapture` prints the figures of docs/server.md.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]
#![allow(dead_code, reason = "the helpers are those of the other tests")]

#[path = "../service/bench.rs"]
mod bench;
#[path = "../service/caller.rs"]
mod caller;

use std::net::SocketAddr;

use bench::{bench, create, quick, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// A download may keep 64 KiB in memory; the rest is what a connection and a task need.
const BYTES_EACH: u64 = 128 * 1024;
/// What the service takes on the way to its first downloads, whatever their number.
const BYTES_ONCE: u64 = 24 * 1024 * 1024;

/// Memory of this process in bytes.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}

/// A caller who begins a download, and takes no more than its first bytes.
async fn begin(to: SocketAddr, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Else the system would take the whole archive off the service's hands.
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn many_downloads_cost_64_kib_of_buffer_each() {
    let downloads: u64 = std::env::var("DOWNLOADS").map_or(100, |number| number.parse().unwrap());
    let mut scenario = quick();
    scenario.data.archive_bytes = 8_000_000;
    let bench = bench(scenario).await;
    let user = bench.user();
    let path = create(&user, r#"{"include":["appliances"]}"#).await;
    let export = until(&user, &path, "ready").await;
    assert!(export["archive"]["bytes"].as_u64().unwrap() > 8_000_000);
    let to = bench
        .service
        .url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let request = format!(
        "GET {path}/archive HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\r\n",
        user.authorization()
    );
    let before = memory("VmRSS:");
    let mut held = Vec::new();
    for _ in 0..downloads {
        held.push(begin(to, &request).await);
    }
    let cost = memory("VmRSS:").saturating_sub(before);
    println!(
        "{downloads} downloads: {} KiB, {} KiB each",
        cost / 1024,
        cost / 1024 / downloads
    );
    assert!(cost <= BYTES_ONCE + downloads * BYTES_EACH, "{cost}");
    take_everything(held).await;
    let peak = memory("VmHWM:").saturating_sub(before);
    println!("at most {} KiB while all of them go on", peak / 1024);
    assert!(peak <= BYTES_ONCE + downloads * BYTES_EACH, "{peak}");
    let health = user.get("/healthz").await;
    assert_eq!(health.status, 200);
}

/// Lets all downloads go on at the same time, for a part of the archive.
async fn take_everything(held: Vec<TcpStream>) {
    const PART: usize = 2_000_000;
    let takers: Vec<_> = held
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4 * 1024];
                let mut taken = 0;
                while taken < PART {
                    match stream.read(&mut buffer).await.unwrap() {
                        0 => break,
                        bytes => taken += bytes,
                    }
                }
            })
        })
        .collect();
    for taker in takers {
        taker.await.unwrap();
    }
}
