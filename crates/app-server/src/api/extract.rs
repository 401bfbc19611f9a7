//! Reading requests, with problems where they cannot be read.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::jobs::JobId;
use domain::object::Object;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::service::Service;
use crate::problem::Problem;

/// Bytes that a request's body may have.
pub(crate) const BODY_LIMIT_BYTES: usize = 64 * 1024;
/// Where campaigns are ordered, by programs and by people: with a list of people.
pub(super) const CAMPAIGNS: [&str; 3] = ["/api/v1/campaigns", "/campaigns", "/campaigns/new"];
/// Bytes that an order for a campaign may have.
pub(crate) const CAMPAIGN_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
pub(super) const BODY_WITHIN: Duration = Duration::from_secs(15);

/// The id in the path. What is no id is no export either.
#[derive(IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub(crate) struct PathId(#[param(value_type = String, format = Uuid)] pub(crate) JobId);

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

/// A JSON object of bounded size that arrives in bounded time. No body at all is an object that says nothing.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Service> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let bytes = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(whole, service));
        let bytes = match bytes.await {
            Err(_) => return Err(Problem::BodyIncomplete),
            Ok(bytes) => bytes.map_err(|rejection| not_read(rejection.status()))?,
        };
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        match Json::<Object<T>>::from_request(request, service).await {
            Ok(Json(Object(body))) => Ok(Self(body)),
            Err(rejection) => Err(problem_of(&rejection)),
        }
    }
}

fn not_read(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::BodyTooLarge {
            limit_bytes: BODY_LIMIT_BYTES,
        }
    } else {
        Problem::BodyIncomplete
    }
}

fn problem_of(rejection: &JsonRejection) -> Problem {
    let detail = reason(rejection);
    match rejection {
        JsonRejection::JsonSyntaxError(_) => Problem::InvalidJson { detail },
        JsonRejection::JsonDataError(_) => Problem::InvalidOrder { detail },
        JsonRejection::MissingJsonContentType(_) => Problem::NotDeclaredJson,
        other => not_read(other.status()),
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
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Exports in a page.
    #[serde(default = "usual_limit")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub(crate) limit: usize,
    /// The export that the page begins after.
    #[param(value_type = Option<String>, format = Uuid)]
    pub(crate) after: Option<JobId>,
    /// Everybody's exports, for administrators.
    #[serde(default)]
    pub(crate) all: bool,
}

/// Exports in one page of a list, where the caller does not say.
const USUAL_LIMIT: usize = 20;
/// Exports in one page of a list, whatever the caller says.
const LARGEST_LIMIT: usize = 100;

fn usual_limit() -> usize {
    USUAL_LIMIT
}

impl ListQuery {
    /// Where the page after this one is, which ends with this export.
    pub(super) fn next(&self, last: &JobId) -> String {
        let all = if self.all { "&all=true" } else { "" };
        format!("/api/v1/exports?limit={}&after={last}{all}", self.limit)
    }
}

impl FromRequestParts<Service> for ListQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let query: Self = query(parts, service).await?;
        limited(query.limit, LARGEST_LIMIT)?;
        Ok(query)
    }
}

/// Reads a query; what is not known in it is refused.
pub(super) async fn query<T: DeserializeOwned>(
    parts: &mut Parts,
    service: &Service,
) -> Result<T, Problem> {
    match Query::<T>::from_request_parts(parts, service).await {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(Problem::InvalidQuery {
            detail: rejection.body_text(),
        }),
    }
}

/// Refuses a page of nothing, and one that is too long.
pub(super) fn limited(limit: usize, largest: usize) -> Result<(), Problem> {
    if (1..=largest).contains(&limit) {
        return Ok(());
    }
    Err(Problem::InvalidQuery {
        detail: format!("`limit` is a number from 1 to {largest}"),
    })
}
