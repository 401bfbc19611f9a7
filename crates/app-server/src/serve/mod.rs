//! Sockets: connections of bounded number, headers that arrive in time, and an orderly end.

mod forwarded;
mod patience;
mod shares;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
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
use ipnet::IpNet;

use crate::auth::Peer;
use crate::settings::Connections;
use forwarded::{caller_address, is_trusted};
use patience::Patience;
use shares::Shares;

/// Bytes that the headers of one request may have.
const HEADER_BYTES: usize = 32 * 1024;
/// After an error of the system (no file descriptors left) no connection is accepted for so long.
const BREATHER: Duration = Duration::from_millis(100);

/// Accepts connections until `stopping`; returns once the last one is closed.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    trusted_proxies: Arc<[IpNet]>,
    limits: Connections,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.all.get()));
    let shares = Shares::new(limits.per_address.get());
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let address = peer.ip().to_canonical();
                let share = if is_trusted(address, &trusted_proxies) {
                    None
                } else if let Some(share) = shares.enter(address) {
                    Some(share)
                } else {
                    refuse(&stream);
                    continue;
                };
                let talk = converse(
                    stream,
                    peer,
                    router.clone(),
                    Arc::clone(&trusted_proxies),
                    limits,
                    Arc::clone(&clock),
                    stopping.clone(),
                );
                connections.spawn(async move {
                    talk.await;
                    drop((place, share));
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
    trusted_proxies: Arc<[IpNet]>,
    limits: Connections,
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
        .header_read_timeout(limits.headers_within)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(
            TokioIo::new(Patience::new(stream, limits.nothing_taken_for, clock)),
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

/// Answers whoever is over their share, as far as that needs no waiting.
fn refuse(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    // Where the answer does not fit, the connection is closed all the same.
    let _ = stream.try_write(ANSWER);
}
