//! What surrounds every request: an id, a line in the log, a net under panics, and headers that keep browsers careful.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::auth::is_browser;
use crate::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts everything around the routes that every answer has in common.
pub(super) fn around(router: Router) -> Router {
    router
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a request broke down");
            Problem::Internal.into_response()
        }))
        .layer(from_fn(without_dialog))
        .layer(from_fn(careful))
        .layer(from_fn(observed))
}

/// A browser that is asked for Basic credentials shows a dialog of its own, and sends what was typed there for ever after.
async fn without_dialog(request: Request, next: Next) -> Response {
    let is_browser = is_browser(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if is_browser && headers.contains_key(WWW_AUTHENTICATE) {
        // RFC 9110 §15.5.2 wants some challenge. No browser knows this one.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Form"));
    }
    response
}

/// Nothing of this service is for other sites, for frames, or for caches that others share.
async fn careful(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Method, route and status go to the log; headers, queries and bodies never do.
async fn observed(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", |path| path.as_str())
        .to_owned();
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let began = Instant::now();
    async {
        let mut response = next.run(request).await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            status = response.status().as_u16(),
            milliseconds,
            "answered"
        );
        if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}
