//! `GET /api/v1/exports/{id}/receipt`, and its signature: what was delivered, for whoever has to show it later.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use domain::jobs::{AuditAction, BagRecord, Job, JobId, JobState, KeptReceipt};

use super::access::permitted;
use super::extract::PathId;
use super::service::Service;
use super::trail::record;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::runner::RECEIPT_ENDING;

/// Download the receipt of an export
///
/// What was delivered: the SHA-256 of the archive, whose data it holds, and how much of it. It stays when the archive is gone.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{id}/receipt",
    tag = "exports",
    params(PathId),
    responses(
        (status = 200, description = "The receipt", content_type = "application/json", body = Object),
        (status = 404, description = "The export was made before there were receipts"),
        (status = 409, description = "The archive is not ready yet"),
        (status = 410, description = "There is no archive, and there will be none"),
    )
)]
pub(super) async fn download(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    method: Method,
) -> Result<Response, Problem> {
    give(&service, &caller, (&id, &method), |bag, receipt| {
        file(&receipt.document, "application/json", &name(bag))
    })
    .await
}

/// Download the signature of a receipt
///
/// As `minisign` writes it, where the service has a key.
#[utoipa::path(
    get,
    path = "/api/v1/exports/{id}/receipt.minisig",
    tag = "exports",
    params(PathId),
    responses(
        (status = 200, description = "The signature", content_type = "text/plain", body = String),
        (status = 404, description = "The receipt is not signed, or there is none"),
        (status = 409, description = "The archive is not ready yet"),
        (status = 410, description = "There is no archive, and there will be none"),
    )
)]
pub(super) async fn signature(
    State(service): State<Service>,
    caller: Caller,
    PathId(id): PathId,
    method: Method,
) -> Result<Response, Problem> {
    give(&service, &caller, (&id, &method), |bag, receipt| {
        let signature = receipt.signature.as_deref().ok_or(Problem::NoReceipt)?;
        let name = format!("{}.minisig", name(bag));
        file(signature, "text/plain; charset=utf-8", &name)
    })
    .await
}

/// Answers with a file that is made of a receipt, and notes who has it.
async fn give(
    service: &Service,
    caller: &Caller,
    (id, method): (&JobId, &Method),
    file: impl FnOnce(&BagRecord, &KeptReceipt) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let job = permitted(service, caller, id).await?.job;
    let (bag, receipt) = of(&job, service)?;
    let answer = file(bag, receipt)?;
    // Who looks at the headers only has downloaded nothing.
    if method == Method::GET {
        record(service, caller, AuditAction::ReceiptDownloaded, &job).await;
    }
    Ok(answer)
}

/// The receipt of a bag that is there, or was.
fn of<'a>(job: &'a Job, service: &Service) -> Result<(&'a BagRecord, &'a KeptReceipt), Problem> {
    let state = job.state_at(service.clock.now());
    let delivery = match &job.state {
        JobState::Queued | JobState::Running | JobState::Waiting { .. } => {
            return Err(Problem::NotReady { state });
        }
        JobState::Failed { .. } | JobState::Cancelled { .. } => {
            return Err(Problem::Gone { state });
        }
        JobState::Ready { delivery, .. }
        | JobState::Expired { delivery, .. }
        | JobState::Deleted { delivery, .. } => delivery,
    };
    let receipt = delivery.bag.receipt.as_deref();
    Ok((&delivery.bag, receipt.ok_or(Problem::NoReceipt)?))
}

fn name(bag: &BagRecord) -> String {
    format!("{}{RECEIPT_ENDING}", bag.name)
}

fn file(text: &str, media_type: &'static str, name: &str) -> Result<Response, Problem> {
    let mut response = text.to_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // A safe name needs no escaping.
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| Problem::Internal)?;
    headers.insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}
