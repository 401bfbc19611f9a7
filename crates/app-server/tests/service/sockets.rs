//! Callers who are slow, rude, or too many.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{bench, quick};
use crate::caller::parse;

#[tokio::test]
async fn headers_without_end_are_refused() {
    let bench = bench(quick()).await;
    let address = bench.service.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}",
        "y".repeat(70_000)
    );
    // The service may close the connection before all of it is written.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || parse(&answer).status == 431);
    assert_eq!(bench.user().get("/healthz").await.status, 200);
}

/// Also those that arrive at once, whose end is seen with their beginning.
#[tokio::test]
async fn headers_may_have_32_kib_and_not_a_byte_more() {
    const BEFORE: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: ";
    const BEHIND: &str = "\r\n\r\n";
    let bench = bench(quick()).await;
    let address = bench.service.url().strip_prefix("http://").unwrap();
    for (size, allowed) in [
        (32_768, true),
        (32_769, false),
        (33_000, false),
        (40_000, false),
    ] {
        let filled = "y".repeat(size - BEFORE.len() - BEHIND.len());
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{BEFORE}{filled}{BEHIND}");
        // The service may close the connection before all of it is written, and its answer is lost then.
        let written = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        if allowed {
            written.unwrap();
            assert_eq!(parse(&answer).status, 200, "{size}");
        } else {
            let is_refused = answer.is_empty() || parse(&answer).status == 431;
            assert!(is_refused, "{size}: {}", String::from_utf8_lossy(&answer));
        }
    }
}

#[tokio::test]
async fn it_is_ready_as_long_as_the_platform_answers() {
    let bench = bench(quick()).await;
    assert_eq!(bench.user().get("/readyz").await.status, 200);
}
