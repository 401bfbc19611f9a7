//! A server that sends exactly the bytes that it is given, on a free port.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_http::{ApiSettings, BaseUrl, Credentials, Proxies, TlsTrust, UforgeApi};
use domain::model::UserId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does after it has read a request's head.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends this and keeps the connection.
    Bytes(Vec<u8>),
    /// Sends this and closes the connection.
    Close(Vec<u8>),
    /// Sends this, then this again and again, a pause before each.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// Sends this, and then nothing more.
    Silence(Vec<u8>),
}

impl Reply {
    /// A whole answer.
    pub(crate) fn answer(status: &str, head: &str, body: &[u8]) -> Self {
        let length = body.len();
        let mut bytes =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{head}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    pub(crate) fn xml(body: &str) -> Self {
        Self::answer(
            "200 OK",
            "Content-Type: application/xml\r\n",
            body.as_bytes(),
        )
    }
}

/// How long a server may be silent that is not meant to be: longer than a busy machine is.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one may be that is.
pub(crate) const IMPATIENCE: Duration = Duration::from_secs(1);

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) port: u16,
    silence: Duration,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the n-th request with the n-th reply, and every one after the last with the last.
    pub(crate) async fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let replies: Arc<Vec<Reply>> = Arc::new(replies.into_iter().collect());
        let server = Self {
            port,
            silence: PATIENCE,
            heads: heads.clone(),
        };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, replies.clone(), heads.clone()));
            }
        });
        server
    }

    /// It falls silent, and is given up soon.
    pub(crate) fn silent(mut self) -> Self {
        self.silence = IMPATIENCE;
        self
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The request lines that came, without the version.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.heads()
            .iter()
            .map(|head| head.lines().next().unwrap().replace(" HTTP/1.1", ""))
            .collect()
    }

    /// Settings for John with a password, below `/api`.
    pub(crate) fn settings(&self) -> ApiSettings {
        ApiSettings {
            silence: self.silence,
            ..settings(&format!("http://127.0.0.1:{}/api", self.port))
        }
    }

    pub(crate) fn api(&self) -> UforgeApi {
        UforgeApi::new(self.settings()).unwrap()
    }
}

pub(crate) fn settings(base: &str) -> ApiSettings {
    ApiSettings {
        base: BaseUrl::parse(base).unwrap(),
        user: UserId::parse("john").unwrap(),
        credentials: Credentials::Password {
            login: "john".to_owned(),
            password: "hunter2".into(),
        },
        silence: PATIENCE,
        document_limit_bytes: 64 * 1024,
        trust: TlsTrust::System,
        proxies: Proxies::Direct,
        user_agent: "test/1".to_owned(),
    }
}

async fn serve(mut socket: TcpStream, replies: Arc<Vec<Reply>>, heads: Arc<Mutex<Vec<String>>>) {
    while let Some(head) = read_head(&mut socket).await {
        let number = {
            let mut heads = heads.lock().unwrap();
            heads.push(head);
            heads.len() - 1
        };
        let Some(reply) = replies.get(number).or(replies.last()).cloned() else {
            return;
        };
        if !say(&mut socket, reply).await {
            return;
        }
    }
}

async fn read_head(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Whether the connection goes on.
async fn say(socket: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Bytes(bytes) => socket.write_all(&bytes).await.is_ok(),
        Reply::Close(bytes) => {
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            false
        }
        Reply::Silence(bytes) => {
            let _ = socket.write_all(&bytes).await;
            std::future::pending().await
        }
        Reply::Drip(first, drop, pause) => {
            let _ = socket.write_all(&first).await;
            loop {
                tokio::time::sleep(pause).await;
                if socket.write_all(&drop).await.is_err() {
                    return false;
                }
            }
        }
    }
}
