//! What surrounds every request: an id, a line in the log, a net under panics, and headers that keep browsers careful.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::auth::is_browser;
use crate::metrics::Metrics;
use crate::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Scripts, styles and forms of this service's own pages, from files of their own; nothing inline, nothing of others.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// A year.
const ONLY_TLS: (HeaderName, HeaderValue) = (
    STRICT_TRANSPORT_SECURITY,
    HeaderValue::from_static("max-age=31536000"),
);
/// How long what never changes under its name may be kept. Everything else is kept by nobody.
pub(crate) const FOR_EVER: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
// With `no-referrer` browsers would send `Origin: null` with the page's own forms.
const CAREFUL: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// A request that breaks down is a problem like any other.
pub(crate) fn unbroken(router: Router) -> Router {
    router.layer(CatchPanicLayer::custom(|_| {
        tracing::error!("a request broke down");
        Problem::Internal.into_response()
    }))
}

/// Puts everything around the routes that every answer has in common.
pub(crate) fn around(router: Router, is_https: bool, metrics: Arc<Metrics>) -> Router {
    router
        .layer(from_fn(without_dialog))
        .layer(from_fn(move |request: Request, next: Next| {
            careful(is_https, request, next)
        }))
        .layer(from_fn(move |request: Request, next: Next| {
            observed(Arc::clone(&metrics), request, next)
        }))
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

/// Nothing of this service is for other sites, for frames, or for caches.
async fn careful(is_https: bool, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let never_changes = headers.get(CACHE_CONTROL) == Some(&FOR_EVER);
    headers.extend(CAREFUL);
    if never_changes {
        headers.insert(CACHE_CONTROL, FOR_EVER);
    }
    if is_https {
        headers.extend([ONLY_TLS]);
    }
    response
}

/// Method, route and status go to the log and are counted; paths, headers, queries and bodies never are.
async fn observed(metrics: Arc<Metrics>, request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let shown = route.as_deref().unwrap_or("-");
    let span = tracing::info_span!("request", %id, %method, route = shown);
    let began = Instant::now();
    async {
        let mut response = next.run(request).await;
        let took = began.elapsed();
        metrics.answered(&method, route.as_deref(), response.status(), took);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
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
