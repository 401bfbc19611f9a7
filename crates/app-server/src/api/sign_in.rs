//! `POST /sign-in` and `POST /sign-out`: sessions for people.

use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::jobs::AuditAction;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::caller::{same_origin, where_from};
use super::extract::{BODY_LIMIT_BYTES, BODY_WITHIN};
use super::service::Service;
use crate::auth::{SignedIn, Token, forget_cookie, read_cookie, read_login, set_cookie};
use crate::backend::Credentials;
use crate::place::Place;
use crate::problem::Problem;

/// What is filled in.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignIn)]
struct Filled {
    /// The UForge login.
    login: String,
    /// Its password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// Where to go then: a path of the web page. Anything else is `/`.
    #[serde(default)]
    next: String,
}

/// Sign in with a form
///
/// For browsers: programs send Basic credentials with every request.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "sessions",
    request_body(content = Filled, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Signed in: the cookie of the session comes with it"))
)]
// Begins a session where the platform accepts the credentials. Whatever session the browser had before is over.
pub(super) async fn sign_in(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Problem> {
    let is_https = service.gate.is_https();
    same_origin(&service, request.method(), request.headers())?;
    let from = where_from(request.extensions())?;
    let before = read_cookie(request.headers(), is_https);
    let filled = read_form::<Filled>(request, &service).await?;
    let next = Place::of(&filled.next).unwrap_or(Place::Home);
    let credentials = Credentials {
        login: read_login(&filled.login).map_err(|error| Problem::InvalidLogin { why: error.0 })?,
        password: filled.password,
    };
    let caller = service.gate.admit(credentials, from).await?;
    let token = Token::draw().map_err(|error| {
        tracing::error!(%error, "this machine gives no random numbers");
        Problem::Internal
    })?;
    let sessions = service.gate.sessions();
    if let Some(before) = before {
        sessions.end(&before.key()).await?;
    }
    let signed_in = SignedIn {
        owner: caller.owner.clone(),
        credentials: caller.credentials.clone(),
    };
    sessions.begin(token.key(), signed_in).await?;
    service
        .gate
        .record(AuditAction::SignedIn, &caller.owner, from)
        .await;
    let runner = &service.runner;
    runner.accepted(&caller.owner, &caller.credentials).await;
    Ok(go(&next, set_cookie(&token, is_https)))
}

/// Reads a form of bounded size that arrives in bounded time.
pub(crate) async fn read_form<T: DeserializeOwned>(
    request: Request,
    service: &Service,
) -> Result<T, Problem> {
    let read = Form::<T>::from_request(request, service);
    match tokio::time::timeout(BODY_WITHIN, read).await {
        Err(_) => Err(Problem::BodyIncomplete),
        Ok(Ok(Form(filled))) => Ok(filled),
        Ok(Err(rejection)) => Err(match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge {
                limit_bytes: BODY_LIMIT_BYTES,
            },
            // The parser's own words can hold what was typed.
            _ => Problem::InvalidForm,
        }),
    }
}

/// Sign out
///
/// The session is over, here and in the browser.
#[utoipa::path(
    post,
    path = "/sign-out",
    tag = "sessions",
    responses((status = 303, description = "Signed out"))
)]
// Ends the session, here and in the browser.
pub(super) async fn sign_out(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Problem> {
    let is_https = service.gate.is_https();
    same_origin(&service, request.method(), request.headers())?;
    let from = where_from(request.extensions())?;
    if let Some(token) = read_cookie(request.headers(), is_https)
        && let Some(ended) = service.gate.sessions().end(&token.key()).await?
    {
        let gate = &service.gate;
        gate.record(AuditAction::SignedOut, &ended.owner, from)
            .await;
    }
    Ok(go(&Place::Home, forget_cookie(is_https)))
}

/// To a place of the page, with a cookie.
pub(crate) fn go(place: &Place, cookie: Option<HeaderValue>) -> Response {
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::from_str(&place.path()).map(|path| (LOCATION, path)));
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie);
    }
    (StatusCode::SEE_OTHER, headers).into_response()
}
