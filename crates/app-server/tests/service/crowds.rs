//! Somebody who tries to shut others out, over real sockets.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use app_server::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::bench::{Bench, bench, bench_with, create, endless, quick};
use crate::caller::{Answer, Caller, parse};

/// Longest that somebody else waits meanwhile, on a machine that is busy with the attack itself.
const WITHIN: Duration = Duration::from_mins(1);
/// What the attacker holds is not let go meanwhile: somebody who is shut out waits this long.
const HELD_FOR: Duration = Duration::from_hours(1);

fn service(bench: &Bench) -> SocketAddr {
    bench
        .service
        .url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap()
}

/// A connection from an address of the loopback network.
async fn connect(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Everything that comes until the connection is closed.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // The service closes connections with unread bytes in them.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

async fn ask(from: [u8; 4], to: SocketAddr, request: &str) -> Answer {
    let mut stream = connect(from, to).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    parse(&rest(&mut stream).await)
}

const ALIVE: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const ATTACKER: [u8; 4] = [127, 0, 0, 2];
const NEIGHBOUR: [u8; 4] = [127, 0, 0, 3];

async fn neighbour_is_served(to: SocketAddr) {
    let began = Instant::now();
    assert_eq!(ask(NEIGHBOUR, to, ALIVE).await.status, 200);
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
}

fn hold(settings: &mut Settings) {
    settings.connections.headers_within = HELD_FOR;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_of_one_address_shut_nobody_else_out() {
    let bench = bench_with(quick(), hold).await;
    let to = service(&bench);
    let mut held = Vec::new();
    for _ in 0..1_100 {
        held.push(connect(ATTACKER, to).await);
    }
    neighbour_is_served(to).await;
    // Whoever is over their share learns when to try again.
    let over = held.last_mut().unwrap();
    let answer = parse(&rest(over).await);
    assert_eq!(answer.status, 429);
    assert!(answer.headers.contains_key("retry-after"));
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_attempted_event_streams_shut_nobody_else_out() {
    let bench = bench_with(endless(), hold).await;
    let to = service(&bench);
    let user = bench.user();
    let events = format!("{}/events", create(&user, "{}").await);
    let request = format!(
        "GET {events} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\r\n",
        user.authorization()
    );
    let mut held = Vec::new();
    for number in 0..10_000 {
        let mut stream = connect(ATTACKER, to).await;
        // The service may have closed it.
        let _ = stream.write_all(request.as_bytes()).await;
        if number < 1_000 {
            held.push(stream);
        }
        if number % 2_500 == 0 {
            neighbour_is_served(to).await;
        }
    }
    neighbour_is_served(to).await;
}

#[tokio::test]
async fn idle_connections_and_slow_heads_are_closed() {
    let bench = bench_with(quick(), |settings| {
        settings.connections.headers_within = Duration::from_millis(200);
    })
    .await;
    let to = service(&bench);
    let mut idle = connect(ATTACKER, to).await;
    let mut kept = connect(ATTACKER, to).await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut slow = connect(ATTACKER, to).await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhos")
        .await
        .unwrap();
    for stream in [&mut idle, &mut kept, &mut slow] {
        rest(stream).await;
    }
}

#[tokio::test]
async fn a_body_announced_as_too_large_is_refused_before_it_is_sent() {
    let bench = bench(quick()).await;
    let to = service(&bench);
    for path in ["/api/v1/exports", "/sign-in", "/sign-out", "/nowhere"] {
        let answer = ask(
            NEIGHBOUR,
            to,
            &format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
                 expect: 100-continue\r\ncontent-length: 104857600\r\n\r\n",
                bench.user().authorization()
            ),
        )
        .await;
        assert_eq!(answer.status, 413, "{path}");
    }
}

/// Clients and proxies that look for an answer only after they have sent everything would else find a connection that was reset.
#[tokio::test]
async fn a_body_that_is_sent_nevertheless_costs_nobody_the_answer() {
    let bench = bench(quick()).await;
    let to = service(&bench);
    let large = "x".repeat(300 * 1024);
    for (path, password, expected) in [
        ("/api/v1/exports", None, 413),
        ("/api/v1/exports", Some("wrong"), 401),
        ("/nowhere", None, 404),
    ] {
        let user = bench.user();
        let authorization = match password {
            Some(password) => Caller::new("http://x", "nobody", password)
                .authorization()
                .to_owned(),
            None => user.authorization().to_owned(),
        };
        for framing in ["length", "chunks"] {
            let (header, body, expected) = match framing {
                // Refused before anybody looks at who asks.
                "length" => (
                    format!("content-length: {}", large.len()),
                    large.clone(),
                    413,
                ),
                _ => (
                    "transfer-encoding: chunked".to_owned(),
                    format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()),
                    expected,
                ),
            };
            let mut stream = connect(NEIGHBOUR, to).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\
                 content-type: application/json\r\nconnection: close\r\n{header}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            for piece in body.as_bytes().chunks(10_000) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let status = format!("HTTP/1.1 {expected} ");
            assert!(answer.starts_with(&status), "{path} {framing}: {answer}");
        }
    }
}

#[tokio::test]
async fn connections_of_a_trusted_proxy_have_no_share_of_their_own() {
    let bench = bench_with(quick(), |settings| {
        settings.connections.per_address = NonZeroUsize::MIN;
        settings.trusted_proxies = vec!["127.0.0.2/32".parse().unwrap()];
    })
    .await;
    let to = service(&bench);
    let _held = [connect(ATTACKER, to).await, connect(NEIGHBOUR, to).await];
    assert_eq!(ask(ATTACKER, to, ALIVE).await.status, 200);
    assert_eq!(ask(NEIGHBOUR, to, ALIVE).await.status, 429);
}
