//! `POST /api/v1/exports`: an order becomes an export, or is one already.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::jobs::{
    Admitted, AuditAction, IdempotencyKey, Job, JobId, JobProgress, JobRequest, JobStoreError,
    Reservation, StoredJob,
};
use domain::model::Sha256;
use uuid::Uuid;

use super::extract::JsonBody;
use super::request::NewExport;
use super::service::Service;
use super::trail::{Deed, record};
use super::view::{ExportView, FullView, location};
use crate::auth::Caller;
use crate::problem::{Problem, poll_again};
use crate::runner::TakeOnError;

impl From<TakeOnError> for Problem {
    fn from(error: TakeOnError) -> Self {
        match error {
            TakeOnError::Stopping => Self::Stopping,
            TakeOnError::Store(error) => error.into(),
        }
    }
}

/// Ask for an export
///
/// An empty body asks for everything that the caller has. The same order twice, while the first is under way, is one export.
#[utoipa::path(
    post,
    path = "/api/v1/exports",
    tag = "exports",
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "Repeating the order with the same key within a day gives the same export")),
    request_body(content = Option<NewExport>, description = "What is wanted: everything where it is left out"),
    responses((status = 202, description = "It is under way: `Location` says where to look", body = FullView))
)]
pub(super) async fn create(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewExport>,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let stored = ask(&service, &caller, body, key).await?;
    Ok(accepted(&service, &stored))
}

/// The caller's order becomes an export, or is one already.
pub(crate) async fn ask(
    service: &Service,
    caller: &Caller,
    body: NewExport,
    key: Option<IdempotencyKey>,
) -> Result<StoredJob, Problem> {
    let mut request = body.into_request(&caller.owner)?;
    permit(service, caller, &mut request).await?;
    let id = JobId::parse(&Uuid::now_v7().to_string()).map_err(|_| Problem::Internal)?;
    let order = Order {
        service,
        caller,
        request,
    };
    match key {
        None => order.give(id).await,
        Some(key) => order.give_once(id, &key).await,
    }
}

/// 202, and where to look from now on.
pub(super) fn accepted(service: &Service, stored: &StoredJob) -> Response {
    let location = [(LOCATION, location(&stored.job))];
    let progress = Some(JobProgress::default());
    let view = ExportView::of(&stored.job, service.clock.now(), progress);
    let view = FullView::of(view, None);
    (StatusCode::ACCEPTED, location, [poll_again()], Json(view)).into_response()
}

pub(super) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::InvalidKey {
            detail: "one `Idempotency-Key` is expected".to_owned(),
        });
    }
    read_key(value.to_str().unwrap_or_default()).map(Some)
}

pub(super) fn read_key(key: &str) -> Result<IdempotencyKey, Problem> {
    IdempotencyKey::parse(key).map_err(|error| Problem::InvalidKey {
        detail: error.to_string(),
    })
}

/// Asks the platform whether the caller may read somebody else. The order then names them as the platform does.
async fn permit(
    service: &Service,
    caller: &Caller,
    request: &mut JobRequest,
) -> Result<(), Problem> {
    if request.user == caller.owner {
        return Ok(());
    }
    match service.gate.subject_of(caller, &request.user).await {
        Ok(user) => {
            request.user = user;
            Ok(())
        }
        Err(problem) => {
            if problem.is_refusal() {
                let refused = Deed {
                    action: AuditAction::ExportRefused,
                    caller,
                    subject: Some(&request.user),
                    job: None,
                    detail: Some(
                        "the platform does not let the caller read this person".to_owned(),
                    ),
                };
                refused.record(service).await;
            }
            Err(problem)
        }
    }
}

struct Order<'a> {
    service: &'a Service,
    caller: &'a Caller,
    request: JobRequest,
}

impl Order<'_> {
    async fn give(&self, id: JobId) -> Result<StoredJob, Problem> {
        let (service, caller) = (self.service, self.caller);
        let now = service.clock.now();
        let job = Job::new(id, caller.owner.clone(), self.request.clone(), now);
        let taken = service.runner.take_on(job, caller.credentials.clone());
        match taken.await {
            Ok(Admitted::New(stored)) => {
                tracing::info!(
                    job = %stored.job.id, "an export was asked for"
                );
                record(service, caller, AuditAction::ExportRequested, &stored.job).await;
                Ok(stored)
            }
            Ok(Admitted::Same(stored)) => Ok(stored),
            Err(TakeOnError::Store(JobStoreError::TooManyArchives { archives })) => {
                let wait = self.first_expiry(&archives).await;
                Err(Problem::TooManyArchives { archives, wait })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// When the first of these archives expires.
    async fn first_expiry(&self, archives: &[JobId]) -> Duration {
        let now = self.service.clock.now();
        let mut first = Duration::from_hours(24);
        for id in archives {
            let stored = self.service.store.get(&self.caller.owner, id).await;
            if let Some(expires) = stored.ok().and_then(|stored| stored.job.expires()) {
                let wait = expires.duration_since(now);
                first = first.min(wait.try_into().unwrap_or(Duration::ZERO));
            }
        }
        first
    }

    /// Gives the order unless the key says that it was given. A key whose order is refused is free again.
    async fn give_once(&self, id: JobId, key: &IdempotencyKey) -> Result<StoredJob, Problem> {
        let (keys, owner) = (&self.service.keys, &self.caller.owner);
        let order = serde_json::to_vec(&self.request).map_err(|_| Problem::Internal)?;
        let order = Sha256::of(&order);
        let id = match keys.reserve(owner, key, &order, &id).await? {
            Reservation::New => id,
            Reservation::OtherOrder => return Err(Problem::KeyReused),
            Reservation::Same(earlier) => match self.service.store.get(owner, &earlier).await {
                Ok(stored) => return Ok(stored),
                // Whoever reserved the key did not come to create it, or is about to.
                Err(JobStoreError::Unknown { .. }) => earlier,
                Err(error) => return Err(error.into()),
            },
        };
        match self.give_named(&id).await {
            Ok(stored) => {
                if stored.job.id != id {
                    // The same order was under way already: the key stands for that one.
                    keys.release(owner, key).await?;
                    keys.reserve(owner, key, &order, &stored.job.id).await?;
                }
                Ok(stored)
            }
            Err(problem) => {
                keys.release(owner, key).await?;
                Err(problem)
            }
        }
    }

    /// Another request with the same key may create it at the same time.
    async fn give_named(&self, id: &JobId) -> Result<StoredJob, Problem> {
        let given = self.give(id.clone()).await;
        match self.service.store.get(&self.caller.owner, id).await {
            Ok(stored) => Ok(stored),
            Err(_) => given,
        }
    }
}
