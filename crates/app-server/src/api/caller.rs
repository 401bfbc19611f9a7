//! Who sends a request: its header `Authorization`, through the gate.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::service::Service;
use crate::auth::{Caller, Peer, read_basic};
use crate::problem::Problem;

impl FromRequestParts<Service> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .ok_or(Problem::Unauthenticated {
                why: "sign in with your UForge login and password",
            })?;
        let credentials = read_basic(header).map_err(|why| Problem::Unauthenticated { why })?;
        let Some(Peer(from)) = parts.extensions.get::<Peer>().copied() else {
            tracing::error!("a request came from nowhere");
            return Err(Problem::Internal);
        };
        let caller = service.gate.admit(credentials, from).await?;
        service
            .runner
            .accepted(&caller.owner, &caller.credentials)
            .await;
        Ok(caller)
    }
}
