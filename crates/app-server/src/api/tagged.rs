//! Records as JSON with an `ETag`: whoever has this state of one is not sent it again.

use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::model::Sha256;
use serde::Serialize;

use crate::problem::Problem;

/// 200 with the value, or 304 where the caller has it. The tag is weak: the same value may be written in other bytes one day.
pub(super) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|_| Problem::Internal)?;
    let sum = Sha256::of(&body).to_string();
    let tag = format!("\"{}\"", sum.get(..32).unwrap_or_default());
    let weak = format!("W/{tag}");
    if has(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, weak)]).into_response());
    }
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (ETAG, weak)];
    Ok((headers, body).into_response())
}

/// RFC 9110 §13.1.2: tags are compared without their weakness.
pub(super) fn has(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, IF_NONE_MATCH)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The tags that a header lists. Those of this service have no comma in them.
pub(super) fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
