//! Jobs as JSON: what a caller sees of them.

use domain::jobs::{
    DownloadRecord, Job, JobFailure, JobProgress, JobState, JobStateName, WaitingFor,
};
use domain::model::{BagFormat, DocumentForms, Secrets, Section, Strictness};
use domain::report::Completeness;
use jiff::Timestamp;
use serde::Serialize;

/// Where an export is found.
pub(super) fn location(job: &Job) -> String {
    format!("/api/v1/exports/{}", job.id)
}

/// The media type of a bag.
pub(super) fn media_type(format: BagFormat) -> &'static str {
    match format {
        BagFormat::Zip => "application/zip",
        BagFormat::Tar => "application/x-tar",
        BagFormat::TarGz => "application/gzip",
    }
}

/// One export, without its report.
#[derive(Serialize)]
pub(super) struct ExportView<'a> {
    id: &'a str,
    user: &'a str,
    state: JobStateName,
    waiting_for: Option<WaitingFor>,
    requested_by: &'a str,
    requested: Timestamp,
    due: Timestamp,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    expires: Option<Timestamp>,
    outcome: Option<Completeness>,
    archive: Option<ArchiveView<'a>>,
    failure: Option<&'a JobFailure>,
    notes: &'a [String],
    progress: Option<JobProgress>,
    order: OrderView<'a>,
    downloads: &'a [DownloadRecord],
    downloads_total: u64,
    links: Links,
}

#[derive(Serialize)]
struct ArchiveView<'a> {
    name: &'a str,
    media_type: &'static str,
    bytes: u64,
    sha256: String,
    available: bool,
}

#[derive(Serialize)]
struct OrderView<'a> {
    include: Vec<Section>,
    appliances: Option<Vec<i64>>,
    mysoftware: Option<Vec<i64>>,
    format: &'a str,
    documents: &'static [&'static str],
    output_format: &'a str,
    redact_secrets: bool,
    strict: bool,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    archive: String,
    events: String,
}

/// One export with its report, which is `export.json` as it stands in the bag.
#[derive(Serialize)]
pub(super) struct FullView<'a> {
    #[serde(flatten)]
    export: ExportView<'a>,
    report: Option<serde_json::Value>,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct ListView<'a> {
    pub(super) exports: Vec<ExportView<'a>>,
    /// Where the next page of the list is; `None` at its end.
    pub(super) next: Option<String>,
}

impl<'a> ExportView<'a> {
    /// `progress` is how far its run is, where it is under way.
    pub(super) fn of(job: &'a Job, now: Timestamp, progress: Option<JobProgress>) -> Self {
        let location = location(job);
        Self {
            id: job.id.as_str(),
            user: job.request.user.as_str(),
            state: job.state_at(now),
            waiting_for: match job.state {
                JobState::Waiting { waiting_for, .. } => Some(waiting_for),
                _ => None,
            },
            requested_by: job.owner.as_str(),
            requested: job.requested,
            due: job.due(),
            started: job.began,
            finished: finished(&job.state),
            expires: job.expires(),
            outcome: job.delivery().map(|delivery| delivery.completeness),
            archive: job.delivery().map(|delivery| ArchiveView {
                name: delivery.bag.name.as_str(),
                media_type: media_type(delivery.bag.format),
                bytes: delivery.bag.bytes,
                sha256: delivery.bag.sha256.to_string(),
                available: job.state_at(now) == JobStateName::Ready,
            }),
            failure: match &job.state {
                JobState::Failed { failure, .. } => Some(failure),
                _ => None,
            },
            notes: &job.notes,
            progress: progress.filter(|_| job.is_unfinished()),
            order: order(job),
            downloads: &job.downloads,
            downloads_total: job.downloads_total,
            links: Links {
                archive: format!("{location}/archive"),
                events: format!("{location}/events"),
                this: location,
            },
        }
    }
}

impl<'a> FullView<'a> {
    pub(super) fn of(job: &'a Job, now: Timestamp, progress: Option<JobProgress>) -> Self {
        Self {
            export: ExportView::of(job, now, progress),
            report: job
                .delivery()
                .and_then(|delivery| serde_json::from_slice(&delivery.report).ok()),
        }
    }
}

fn finished(state: &JobState) -> Option<Timestamp> {
    match state {
        JobState::Queued | JobState::Running | JobState::Waiting { .. } => None,
        JobState::Ready { delivery, .. }
        | JobState::Expired { delivery, .. }
        | JobState::Deleted { delivery, .. } => Some(delivery.ready),
        JobState::Failed { at, .. } | JobState::Cancelled { at } => Some(*at),
    }
}

fn order(job: &Job) -> OrderView<'_> {
    let request = &job.request;
    let ids = |ids: &Option<std::collections::BTreeSet<domain::model::ObjectId>>| {
        ids.as_ref()
            .map(|ids| ids.iter().map(|id| id.get()).collect())
    };
    OrderView {
        include: request.selection.sections.iter().copied().collect(),
        appliances: ids(&request.selection.appliances),
        mysoftware: ids(&request.selection.mysoftware),
        format: request.format.ending(),
        documents: match request.documents {
            DocumentForms::Xml => &["xml"],
            DocumentForms::Json => &["json"],
            DocumentForms::Both => &["xml", "json"],
        },
        output_format: request.output_format.as_str(),
        redact_secrets: request.secrets == Secrets::Redact,
        strict: request.strictness == Strictness::EverySection,
    }
}
