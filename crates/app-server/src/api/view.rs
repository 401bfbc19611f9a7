//! Jobs as JSON: what a caller sees of them.

use crate::problem::LOST;
use domain::jobs::{
    DownloadRecord, Job, JobFailure, JobProgress, JobState, JobStateName, WaitingFor,
};
use domain::model::{BagFormat, DocumentForms, Secrets, Section, Strictness, UserId};
use domain::report::Completeness;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

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
#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
pub(super) struct ExportView<'a> {
    /// Its name.
    #[schema(format = Uuid)]
    id: &'a str,
    /// Whose data it holds: the login that the platform gives.
    user: &'a str,
    /// Where it is in its life.
    #[schema(value_type = StateSchema)]
    state: JobStateName,
    /// What a waiting one waits for.
    #[schema(value_type = Option<WaitingForSchema>)]
    waiting_for: Option<WaitingFor>,
    /// When a waiting one is tried again by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    retry: Option<Timestamp>,
    /// Whose it is.
    #[serde(skip)]
    owner: &'a str,
    /// Who asked for it.
    requested_by: &'a str,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    requested: Timestamp,
    /// When an answer is due: one month later.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
    /// When its run began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Timestamp>,
    /// When its run was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished: Option<Timestamp>,
    /// Until when its archive can be fetched.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Until when a failed one can be tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    resumable_until: Option<Timestamp>,
    /// `complete`, or `partial`: the report names what is missing.
    #[schema(value_type = Option<String>)]
    outcome: Option<Completeness>,
    archive: Option<ArchiveView<'a>>,
    /// Why a failed one failed.
    #[schema(value_type = Option<FailureSchema>)]
    failure: Option<&'a JobFailure>,
    /// What else a person should know.
    notes: Vec<&'a str>,
    /// How far an unfinished one is.
    #[schema(value_type = Option<Object>)]
    progress: Option<JobProgress>,
    order: OrderView<'a>,
    /// The latest downloads, oldest first.
    downloads: Vec<DownloadView<'a>>,
    /// All downloads that there ever were.
    downloads_total: u64,
    links: Links,
}

/// Where an export is in its life.
#[derive(ToSchema)]
#[schema(as = State, rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "describes `JobStateName`, which knows nothing of the document"
)]
enum StateSchema {
    Queued,
    Running,
    Waiting,
    Ready,
    Failed,
    Cancelled,
    Expired,
    Deleted,
}

/// What an export waits for.
#[derive(ToSchema)]
#[schema(as = WaitingFor, rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "describes `WaitingFor`, which knows nothing of the document"
)]
enum WaitingForSchema {
    SignIn,
    Platform,
    DiskSpace,
}

/// Why there is no archive.
#[derive(ToSchema)]
#[schema(as = Failure)]
#[expect(
    dead_code,
    reason = "describes `JobFailure`, which knows nothing of the document"
)]
struct FailureSchema {
    /// What went wrong.
    message: String,
    /// What a person can do.
    hint: Option<String>,
}

/// The archive of an export.
#[derive(Serialize, ToSchema)]
#[schema(as = Archive)]
struct ArchiveView<'a> {
    /// Its file name.
    name: &'a str,
    /// Its media type.
    media_type: &'static str,
    /// Its size.
    bytes: u64,
    /// SHA-256 of the whole file.
    sha256: String,
    /// Whether it can be fetched now.
    available: bool,
}

/// One download by one person from one address, however many ranges it took.
#[derive(Serialize, ToSchema)]
#[schema(as = Download)]
struct DownloadView<'a> {
    /// When its last transfer ended.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who fetched it.
    by: &'a str,
    /// The network address that it went to.
    from: &'a str,
    /// The first byte that was asked for.
    offset: u64,
    /// Bytes handed over, all transfers together.
    bytes: u64,
    /// Transfers that belong to it.
    transfers: u64,
    /// Whether every byte was handed over.
    complete: bool,
}

impl<'a> DownloadView<'a> {
    fn of(record: &'a DownloadRecord) -> Self {
        Self {
            at: record.at,
            by: record.by.as_str(),
            from: &record.from,
            offset: record.offset,
            bytes: record.bytes,
            transfers: record.transfers,
            complete: record.complete,
        }
    }
}

/// What was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
struct OrderView<'a> {
    #[schema(value_type = Vec<String>)]
    include: Vec<Section>,
    appliances: Option<Vec<i64>>,
    mysoftware: Option<Vec<i64>>,
    format: &'a str,
    documents: &'static [&'static str],
    output_format: &'a str,
    redact_secrets: bool,
    strict: bool,
}

/// Where more is.
#[derive(Serialize, ToSchema)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    /// For its owner only.
    archive: Option<String>,
    /// For its owner only, also when the archive is gone.
    receipt: Option<String>,
    /// Where the receipt is signed.
    receipt_signature: Option<String>,
    /// For its owner only.
    events: Option<String>,
}

/// One export with its report.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportWithReport)]
pub(super) struct FullView<'a> {
    #[serde(flatten)]
    export: ExportView<'a>,
    /// `export.json` as it stands in the bag.
    #[schema(value_type = Option<Object>)]
    report: Option<Box<RawValue>>,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportList)]
pub(super) struct ListView<'a> {
    pub(super) exports: Vec<ExportView<'a>>,
    /// Where the next page of the list is; `null` at its end.
    pub(super) next: Option<String>,
}

impl<'a> ExportView<'a> {
    /// `progress` is how far its run is, where it is under way.
    pub(super) fn of(job: &'a Job, now: Timestamp, progress: Option<JobProgress>) -> Self {
        let location = location(job);
        let receipt = job
            .delivery()
            .and_then(|delivery| delivery.bag.receipt.as_deref());
        Self {
            id: job.id.as_str(),
            user: job.request.user.as_str(),
            state: job.state_at(now),
            waiting_for: match job.state {
                JobState::Waiting { waiting_for, .. } => Some(waiting_for),
                _ => None,
            },
            retry: match job.state {
                JobState::Waiting { retry, .. } => retry,
                _ => None,
            },
            owner: job.owner.as_str(),
            requested_by: job.requested_by().as_str(),
            requested: job.requested,
            due: job.due(),
            started: job.began,
            finished: finished(&job.state),
            expires: job.expires(),
            resumable_until: match job.state {
                JobState::Failed {
                    resumable_until, ..
                } => resumable_until.filter(|until| now < *until),
                _ => None,
            },
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
            notes: job.notes.iter().map(String::as_str).collect(),
            progress: progress.filter(|_| job.is_unfinished()),
            order: order(job),
            downloads: job.downloads.iter().map(DownloadView::of).collect(),
            downloads_total: job.downloads_total,
            links: Links {
                receipt: receipt.map(|_| format!("{location}/receipt")),
                receipt_signature: receipt
                    .filter(|receipt| receipt.signature.is_some())
                    .map(|_| format!("{location}/receipt.minisig")),
                archive: Some(format!("{location}/archive")),
                events: Some(format!("{location}/events")),
                this: location,
            },
        }
    }
}

impl ExportView<'_> {
    /// As it is where the store has lost the archive.
    pub(super) fn without_archive(mut self) -> Self {
        if let Some(archive) = &mut self.archive {
            archive.available = false;
        }
        self.notes.push(LOST);
        self
    }

    /// As this person may see it: somebody else's archive is not for administrators.
    pub(super) fn seen_by(mut self, person: &UserId) -> Self {
        if ![self.owner, self.requested_by].contains(&person.as_str()) {
            self.links.archive = None;
            self.links.receipt = None;
            self.links.receipt_signature = None;
            self.links.events = None;
        }
        self
    }
}

impl<'a> FullView<'a> {
    /// As it is where the store has lost the archive.
    pub(super) fn without_archive(self) -> Self {
        Self {
            export: self.export.without_archive(),
            ..self
        }
    }

    /// As this person may see it.
    pub(super) fn seen_by(self, person: &UserId) -> Self {
        Self {
            export: self.export.seen_by(person),
            ..self
        }
    }

    /// `report` is passed on as it is: it may have megabytes.
    pub(super) fn of(export: ExportView<'a>, report: Option<&[u8]>) -> Self {
        Self {
            export,
            report: report.and_then(|report| serde_json::from_slice(report).ok()),
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
