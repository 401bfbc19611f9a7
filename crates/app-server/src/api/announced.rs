//! A body that is announced as too large is refused before it is sent: a caller who waits for `100 Continue` never gets it.

use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::extract::{BODY_LIMIT_BYTES, CAMPAIGN_LIMIT_BYTES, CAMPAIGNS};
use crate::problem::Problem;

/// Refuses a request whose body is announced as larger than is accepted. The connection is of no use after that.
pub(crate) async fn refuse_too_large(request: Request, next: Next) -> Response {
    let limit_bytes = limit_of(request.uri().path());
    if !is_too_large(request.headers(), limit_bytes) {
        return next.run(request).await;
    }
    let problem = Problem::BodyTooLarge { limit_bytes };
    let mut response = problem.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Bytes that the body of a request to this path may have.
fn limit_of(path: &str) -> usize {
    if CAMPAIGNS.contains(&path) {
        CAMPAIGN_LIMIT_BYTES
    } else {
        BODY_LIMIT_BYTES
    }
}

fn is_too_large(headers: &HeaderMap, limit_bytes: usize) -> bool {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .is_some_and(|length| {
            // The connection has read it as a number already; one that is none here is too large for this machine.
            length.trim().parse().unwrap_or(usize::MAX) > limit_bytes
        })
}
