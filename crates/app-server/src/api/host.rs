//! A request that is not clear about its host is answered by nobody: a proxy before this service may have taken it for another one.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::auth::UnclearHost;
use crate::problem::Problem;

/// Refuses what the connection has marked as [`UnclearHost`]. Nothing more is read from there.
pub(crate) async fn refuse_unclear_host(request: Request, next: Next) -> Response {
    if request.extensions().get::<UnclearHost>().is_none() {
        return next.run(request).await;
    }
    let mut response = Problem::UnclearHost.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
