//! Who sends a request: its header `Authorization` or its session, through the gate.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method};

use super::service::Service;
use crate::auth::{
    Caller, Peer, Sender, is_cookie_sent, is_unsafe, read_basic, read_cookie, sender,
};
use crate::problem::Problem;

impl FromRequestParts<Service> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        same_origin(service, &parts.method, &parts.headers)?;
        let from = where_from(&parts.extensions)?;
        let caller = match parts.headers.get(AUTHORIZATION) {
            Some(header) => {
                let credentials = read_basic(header)?;
                service.gate.admit(credentials, from).await?
            }
            None => of_session(service, &parts.headers, from).await?,
        };
        service
            .runner
            .accepted(&caller.owner, &caller.credentials)
            .await;
        Ok(caller)
    }
}

async fn of_session(
    service: &Service,
    headers: &HeaderMap,
    from: IpAddr,
) -> Result<Caller, Problem> {
    if !is_cookie_sent(headers, service.gate.is_https()) {
        return Err(Problem::Unauthenticated {
            why: "sign in with your UForge login and password",
        });
    }
    let over = Problem::Unauthenticated {
        why: "your session is over: sign in again",
    };
    let Some(token) = read_cookie(headers, service.gate.is_https()) else {
        return Err(over);
    };
    let sessions = service.gate.sessions();
    let Some(signed_in) = sessions.find(&token.key()).await? else {
        return Err(over);
    };
    let confirmed = service.gate.confirm(signed_in, from).await;
    if let Err(Problem::Unauthenticated { .. } | Problem::Forbidden) = &confirmed {
        sessions.end(&token.key()).await?;
    }
    confirmed
}

/// Where a request comes from.
pub(super) fn where_from(extensions: &Extensions) -> Result<IpAddr, Problem> {
    extensions.get::<Peer>().map(|peer| peer.0).ok_or_else(|| {
        tracing::error!("a request came from nowhere");
        Problem::Internal
    })
}

/// Refuses what another site's page sends. What changes something and comes with the session's cookie has to say that it is from
/// this service's own page.
pub(crate) fn same_origin(
    service: &Service,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    if !is_unsafe(method) {
        return Ok(());
    }
    let is_https = service.gate.is_https();
    let has_cookie = is_cookie_sent(headers, is_https);
    match sender(headers, service.gate.origin(), is_https) {
        Sender::Own => Ok(()),
        Sender::Silent if !has_cookie => Ok(()),
        Sender::Silent | Sender::Foreign => Err(Problem::CrossOrigin),
    }
}
