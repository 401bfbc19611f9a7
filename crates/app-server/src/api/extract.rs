//! Reading requests, with problems where they cannot be read.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::jobs::JobId;
use domain::object::Object;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::service::Service;
use crate::problem::Problem;

/// Bytes that a request's body may have.
pub(super) const BODY_LIMIT_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
pub(super) const BODY_WITHIN: Duration = Duration::from_secs(15);

/// The id in the path. What is no id is no export either.
pub(super) struct PathId(pub(super) JobId);

impl FromRequestParts<Service> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, service)
            .await
            .map_err(|_| Problem::UnknownExport)?;
        JobId::parse(&id)
            .map(Self)
            .map_err(|_| Problem::UnknownExport)
    }
}

/// A JSON body of bounded size that arrives in bounded time.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Service> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let read = Json::<Object<T>>::from_request(request, service);
        match tokio::time::timeout(BODY_WITHIN, read).await {
            Err(_) => Err(Problem::BodyIncomplete),
            Ok(Ok(Json(Object(body)))) => Ok(Self(body)),
            Ok(Err(rejection)) => Err(problem_of(&rejection)),
        }
    }
}

fn problem_of(rejection: &JsonRejection) -> Problem {
    let detail = reason(rejection);
    match rejection {
        JsonRejection::JsonSyntaxError(_) => Problem::InvalidJson { detail },
        JsonRejection::JsonDataError(_) => Problem::InvalidOrder { detail },
        JsonRejection::MissingJsonContentType(_) => Problem::NotDeclaredJson,
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge {
            limit_bytes: BODY_LIMIT_BYTES,
        },
        _ => Problem::BodyIncomplete,
    }
}

/// The parser's own words: the innermost cause, without the framework's around it.
fn reason(rejection: &JsonRejection) -> String {
    let mut cause: &dyn std::error::Error = rejection;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Which part of a list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    #[serde(default = "usual_limit")]
    pub(super) limit: usize,
    pub(super) after: Option<JobId>,
}

/// Exports in one page of a list, where the caller does not say.
pub(super) const USUAL_LIMIT: usize = 20;
/// Exports in one page of a list, whatever the caller says.
pub(super) const LARGEST_LIMIT: usize = 100;

fn usual_limit() -> usize {
    USUAL_LIMIT
}

impl FromRequestParts<Service> for ListQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let Query(query) = Query::<Self>::from_request_parts(parts, service)
            .await
            .map_err(|rejection| Problem::InvalidQuery {
                detail: rejection.body_text(),
            })?;
        if query.limit == 0 || query.limit > LARGEST_LIMIT {
            return Err(Problem::InvalidQuery {
                detail: format!("`limit` is a number from 1 to {LARGEST_LIMIT}"),
            });
        }
        Ok(query)
    }
}
