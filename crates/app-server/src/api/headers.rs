//! A request whose line and headers are too large is refused, whether they arrive at once or in pieces.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;

/// Bytes that a request's line and headers may have together. What has not ended by then is refused by the connection already.
pub(crate) const HEADER_LIMIT_BYTES: usize = 32 * 1024;
/// The spaces, the version and the end of a request's line, and the empty line behind the headers.
const AROUND_BYTES: usize = "  HTTP/1.1\r\n\r\n".len();
/// What stands around a header's name and its value.
const AROUND_HEADER_BYTES: usize = ": \r\n".len();

/// Refuses what is larger. How much of it had arrived with the last read before its end does not count.
pub(crate) async fn refuse_large_headers(request: Request, next: Next) -> Response {
    if size_of_head(&request) <= HEADER_LIMIT_BYTES {
        return next.run(request).await;
    }
    let limit_bytes = HEADER_LIMIT_BYTES;
    Problem::HeadersTooLarge { limit_bytes }.into_response()
}

/// The bytes of the request's line and headers, in their usual form.
fn size_of_head(request: &Request) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len() + AROUND_BYTES;
    let headers = request.headers().iter();
    let headers = headers
        .map(|(name, value)| name.as_str().len() + value.as_bytes().len() + AROUND_HEADER_BYTES);
    line + headers.sum::<usize>()
}
