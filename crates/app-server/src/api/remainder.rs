//! What is left of a request's body when its answer is there already is read, within limits, and thrown away. Where it lies unread as the
//! connection is closed, the system resets the connection: whoever is still sending then never sees the answer, and a proxy between reports
//! a fault of the service instead (RFC 9112 §9.6).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;

/// More is not read for the sake of an answer.
const LIMIT_BYTES: usize = 1024 * 1024;
/// Nor for longer.
const WITHIN: Duration = Duration::from_secs(5);

/// Answers, and reads what is left of the request's body afterwards.
pub(crate) async fn read_remainder(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever waits to be asked for the body has not sent it.
    let is_sent = !request.headers().contains_key(EXPECT);
    let (parts, body) = request.into_parts();
    let shared = Arc::new(Shared::new(body, is_sent));
    let taken = Arc::clone(&shared);
    let body = Body::from_stream(poll_fn(move |context| taken.poll(context)));
    let response = next.run(Request::from_parts(parts, body)).await;
    if shared.is_asked_for.load(Ordering::Relaxed) {
        tokio::spawn(async move { shared.read().await });
    }
    response
}

/// A body that its reader may leave.
struct Shared {
    body: Mutex<BodyDataStream>,
    /// Whether it is on its way.
    is_asked_for: AtomicBool,
}

impl Shared {
    fn new(body: Body, is_sent: bool) -> Self {
        Self {
            body: Mutex::new(body.into_data_stream()),
            is_asked_for: AtomicBool::new(is_sent),
        }
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        self.is_asked_for.store(true, Ordering::Relaxed);
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }

    /// Reads to the end or to a limit.
    async fn read(&self) {
        let read = async {
            let mut left = LIMIT_BYTES;
            let mut pieces = poll_fn(|context| self.poll(context));
            while let Some(Ok(piece)) = pieces.next().await {
                left = left.saturating_sub(piece.len());
                if left == 0 {
                    return;
                }
            }
        };
        // Too slow or not, it is thrown away.
        let _ = tokio::time::timeout(WITHIN, read).await;
    }
}
