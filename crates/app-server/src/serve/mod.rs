//! Sockets: connections of bounded number, headers that arrive in time, and an orderly end.

mod forwarded;
mod patience;
mod shares;
mod tls;

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use domain::ports::Clock;
use ipnet::IpNet;

use crate::api::HEADER_LIMIT_BYTES;
use crate::auth::{Peer, UnclearHost};
use crate::settings::Connections;
use forwarded::{caller_address, is_trusted};
use patience::Patience;
use shares::Shares;
pub(crate) use tls::{Tls, TlsError};

/// After an error of the system (no file descriptors left) no connection is accepted for so long.
const BREATHER: Duration = Duration::from_millis(100);

/// How connections are served.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) trusted_proxies: Arc<[IpNet]>,
    pub(crate) limits: Connections,
    /// Plain HTTP where there is none.
    pub(crate) tls: Option<Tls>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stopping: CancellationToken,
}

/// Accepts connections until it is stopped; returns once the last one is closed.
pub(crate) async fn serve(listener: TcpListener, serving: Serving) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(serving.limits.all.get()));
    let shares = Shares::new(serving.limits.per_address.get());
    loop {
        let accepted = tokio::select! {
            () = serving.stopping.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let address = peer.ip().to_canonical();
                let share = if is_trusted(address, &serving.trusted_proxies) {
                    None
                } else if let Some(share) = shares.enter(address) {
                    Some(share)
                } else {
                    serving.refuse(&stream);
                    continue;
                };
                let serving = serving.clone();
                connections.spawn(async move {
                    serving.converse(stream, peer).await;
                    drop((place, share));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                serving.clock.sleep(BREATHER).await;
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

impl Serving {
    /// A handshake counts as a connection, and takes no longer than a request's headers may.
    async fn converse(self, stream: TcpStream, peer: SocketAddr) {
        // Without it small answers wait for the caller's acknowledgement.
        let _ = stream.set_nodelay(true);
        let nothing_taken_for = self.limits.nothing_taken_for;
        let stream = Patience::new(stream, nothing_taken_for, Arc::clone(&self.clock));
        let Some(tls) = &self.tls else {
            return self.talk(stream, peer).await;
        };
        let accepted = tokio::select! {
            accepted = tls.accept(stream, self.limits.headers_within) => accepted,
            () = self.stopping.cancelled() => return,
        };
        match accepted {
            Ok(stream) => self.talk(stream, peer).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    async fn talk<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = service_fn(|request: Request<Incoming>| {
            let router = self.router.clone();
            let from = caller_address(peer.ip(), request.headers(), &self.trusted_proxies);
            let unclear = UnclearHost::of(request.version(), request.headers());
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(from));
                if let Some(unclear) = unclear {
                    request.extensions_mut().insert(unclear);
                }
                Ok::<_, Infallible>(match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.headers_within)
            .max_buf_size(HEADER_LIMIT_BYTES)
            .serve_connection(TokioIo::new(stream), answer);
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    /// Answers whoever is over their share, as far as that needs no waiting. Encrypted, it would need a handshake.
    fn refuse(&self, stream: &TcpStream) {
        const ANSWER: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        if self.tls.is_none() {
            // Where the answer does not fit, the connection is closed all the same.
            let _ = stream.try_write(ANSWER);
        }
    }
}
