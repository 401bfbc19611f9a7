//! Answers to uploads that come before all was taken.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use bytes::Bytes;
use domain::model::{ImportId, ImportTicket, ItemKind};
use domain::ports::{ApiError, ImportApi as _, Upload};
use futures_util::{StreamExt as _, stream};

use crate::server::settings;

const PIECE: usize = 64 * 1024;
const PIECES: u64 = 512;
/// Of resets, most are heard at the first.
const TRIES: usize = 100;

/// How the server goes on after its answer.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It resets the connection, with bytes unread.
    Reset,
    /// It keeps the connection, and reads nothing more.
    Keep,
    /// It takes the rest and throws it away.
    Drain,
}

/// Reads the head, and so many bytes of the body.
fn take(socket: &mut TcpStream, of_body: usize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    socket.read_exact(&mut vec![0; of_body]).unwrap();
}

/// Answers one upload after `taken` bytes of it. `is_over` ends when whoever sends it has what it wants.
fn answer_once(
    listener: &TcpListener,
    status: &str,
    (taken, then): (usize, Then),
    is_over: &Receiver<()>,
) {
    let (mut socket, _) = listener.accept().unwrap();
    take(&mut socket, taken);
    let body = "<uforgeError><localizedErrorMsg><message>no more than this</message></localizedErrorMsg></uforgeError>";
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(answer.as_bytes()).unwrap();
    match then {
        // Closing a socket with bytes unread resets the connection.
        Then::Reset => {}
        Then::Keep => {
            let _ = is_over.recv();
        }
        Then::Drain => {
            let _ = std::io::copy(&mut socket, &mut std::io::sink());
        }
    }
}

async fn upload(port: u16) -> Result<(), ApiError> {
    let api = adapters_http::UforgeApi::new(settings(&format!("http://127.0.0.1:{port}/api")));
    let ticket = ImportTicket {
        kind: ItemKind::Appliance,
        id: ImportId::try_from(7).unwrap(),
    };
    let pieces = stream::iter(0..PIECES).map(|_| Ok(Bytes::from(vec![7; PIECE])));
    let archive = Upload {
        length: PIECES * PIECE as u64,
        body: pieces.boxed(),
    };
    api.unwrap().upload(ticket, archive).await.map(drop)
}

/// One upload to a server that answers it so.
async fn refused(status: &'static str, taken: usize, then: Then) -> ApiError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sends, is_over) = mpsc::channel();
    let how = (taken, then);
    let server = std::thread::spawn(move || answer_once(&listener, status, how, &is_over));
    let error = upload(port).await.unwrap_err();
    drop(sends);
    server.join().unwrap();
    error
}

/// What was answered counts, and not that the connection ended before all was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_comes_before_the_end_of_an_upload_is_heard() {
    for (status, code) in [
        ("413 Payload Too Large", 413),
        ("400 Bad Request", 400),
        ("409 Conflict", 409),
    ] {
        for taken in [0, 1, PIECE, 20 * PIECE] {
            for then in [Then::Keep, Then::Drain] {
                let error = refused(status, taken, then).await;
                assert_eq!(error.http_status(), Some(code), "{then:?} {taken}: {error}");
                assert!(error.to_string().contains("no more than this"), "{error}");
            }
            // What is written into a connection in the moment of its reset hides the answer: then it is sent again, as ever, and
            // heard the next time.
            let mut heard = None;
            for _ in 0..TRIES {
                heard = heard.or(refused(status, taken, Then::Reset).await.http_status());
                if heard.is_some() {
                    break;
                }
            }
            assert_eq!(heard, Some(code), "{taken}");
        }
    }
}
