//! The platform as an HTTP/1.1 server on one socket.
//!
//! A request passes through [`serve`]'s accept loop, [`handler`], [`auth`], the platform, and becomes a [`reply::Reply`];
//! [`faults`] says what goes wrong on the way, [`hostile`] makes the documents that no platform should send, and
//! [`connection`] does what only the socket can: resets and slow bytes.

mod answers;
mod auth;
mod connection;
mod faults;
mod handler;
mod hostile;
mod pause;
mod payload;
mod reply;
mod target;
mod uploads;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::platform::Platform;
use crate::scenario::Scenario;
use connection::Connection;
use handler::Handler;

/// A sandbox that listens. Dropping it closes its socket and every connection.
pub struct Running {
    url: String,
    platform: Platform,
    accepting: JoinHandle<()>,
}

/// How to reach a sandbox, and as whom.
#[derive(Clone, Serialize)]
pub struct Announcement {
    /// The base URL, such as `http://127.0.0.1:8080/api`.
    pub url: String,
    /// The login of the user whose data is there.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// The public half of the user's API key pair.
    pub publickey: String,
    /// The secret half of the user's API key pair.
    pub secretkey: String,
}

/// Starts the sandbox that `scenario` describes. Port 0 picks a free one.
///
/// When this returns, the socket takes connections. It must be called within a Tokio runtime.
pub async fn serve(listen: SocketAddr, scenario: Scenario) -> io::Result<Running> {
    serve_platform(listen, Platform::new(scenario)).await
}

/// Puts a platform that exists already on a socket.
pub async fn serve_platform(listen: SocketAddr, platform: Platform) -> io::Result<Running> {
    let listener = TcpListener::bind(listen).await?;
    let url = format!(
        "http://{}{}",
        listener.local_addr()?,
        platform.scenario().base_path
    );
    let handler = Arc::new(Handler::new(platform.clone()));
    let accepting = tokio::spawn(accept(listener, handler));
    Ok(Running {
        url,
        platform,
        accepting,
    })
}

impl Running {
    /// The base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The platform behind the socket.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// How to reach this sandbox as the user whose data is there.
    pub fn announcement(&self) -> Announcement {
        let user = &self.platform.scenario().user;
        Announcement {
            url: self.url.clone(),
            user: user.login.clone(),
            password: user.password.clone(),
            publickey: user.public_key.clone(),
            secretkey: user.secret_key.clone(),
        }
    }

    /// Closes the socket and every connection; when this returns, they are closed.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        // Cancelled is what it is meant to be.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, handler: Arc<Handler>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&handler)));
                }
                Err(error) => tracing::debug!(%error, "a connection could not be accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, handler: Arc<Handler>) {
    // Without it small answers wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let (connection, control) = Connection::new(stream);
    let answer = service_fn(|request| handler.handle(request, &control));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(connection), answer)
        .await;
    if let Err(error) = served {
        tracing::trace!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
