//! Sockets: connections of bounded number, headers that arrive in time, and an orderly end.

mod patience;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use domain::ports::Clock;

use crate::auth::Peer;
use patience::Patience;

/// Connections at the same time; further ones wait in the system's own queue.
const CONNECTIONS: usize = 1_024;
/// How long a caller may take to send its request's headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// How long a caller may take nothing of an answer.
const NOTHING_TAKEN_FOR: Duration = Duration::from_mins(2);
/// Bytes that the headers of one request may have.
const HEADER_BYTES: usize = 32 * 1024;
/// After an error of the system (no file descriptors left) no connection is accepted for so long.
const BREATHER: Duration = Duration::from_millis(100);

/// Accepts connections until `stopping`; returns once the last one is closed.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    trusted_proxies: Arc<[IpAddr]>,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let talk = converse(
                    stream,
                    peer,
                    router.clone(),
                    Arc::clone(&trusted_proxies),
                    Arc::clone(&clock),
                    stopping.clone(),
                );
                connections.spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clock.sleep(BREATHER).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    trusted_proxies: Arc<[IpAddr]>,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
) {
    // Without it small answers wait for the caller's acknowledgement.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        let from = caller_address(peer.ip(), request.headers(), &trusted_proxies);
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(from));
            Ok::<_, Infallible>(match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(
            TokioIo::new(Patience::new(stream, NOTHING_TAKEN_FOR, clock)),
            answer,
        );
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Where a caller is: the peer, or what the last trusted proxy says of it.
fn caller_address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpAddr]) -> IpAddr {
    let mut address = peer.to_canonical();
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|hop| hop.trim().parse::<IpAddr>().ok())
        .collect::<Vec<_>>();
    for hop in forwarded.into_iter().rev() {
        match hop {
            Some(hop) if trusted_proxies.contains(&address) => address = hop.to_canonical(),
            _ => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let trusted: Vec<IpAddr> = trusted.iter().map(|ip| ip.parse().unwrap()).collect();
        caller_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_s_word_about_addresses_counts() {
        let forwarded = "203.0.113.9, 198.51.100.7";
        assert_eq!(address("192.0.2.1", forwarded, &[]), "192.0.2.1");
        assert_eq!(
            address("10.0.0.1", forwarded, &["10.0.0.1"]),
            "198.51.100.7"
        );
        assert_eq!(
            address("::ffff:10.0.0.1", forwarded, &["10.0.0.1", "198.51.100.7"]),
            "203.0.113.9"
        );
        assert_eq!(address("10.0.0.1", "nonsense", &["10.0.0.1"]), "10.0.0.1");
    }
}
