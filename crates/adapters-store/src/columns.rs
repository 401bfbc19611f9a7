//! Jobs as columns, whatever the engine.

use std::error::Error as StdError;

use domain::jobs::{
    AuditAction, AuditEntry, CampaignId, CampaignMark, Delivery, Job, JobId, JobState,
    JobStateName, StoredJob, TransferEntry, Version, WaitingFor, Wish,
};
use domain::model::UserId;
use serde_json::Value;

use crate::moments::{from_column, to_column};

/// What reading a row can fail with.
pub(crate) type RowError = Box<dyn StdError + Send + Sync>;

/// All columns of a job but those of its lease and its progress. Moments are those of [`crate::moments`], values of more than one part JSON.
#[derive(Default)]
pub(crate) struct JobColumns {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) request: String,
    pub(crate) requested: i64,
    pub(crate) began: Option<i64>,
    pub(crate) state: String,
    pub(crate) waiting_for: Option<String>,
    pub(crate) retry_at: Option<i64>,
    pub(crate) give_up_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) failure: Option<String>,
    pub(crate) resumable_until: Option<i64>,
    pub(crate) ready_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) bag: Option<String>,
    pub(crate) completeness: Option<String>,
    pub(crate) paused_since: Option<i64>,
    pub(crate) deaths: i64,
    pub(crate) notes: String,
    /// Written by transfers only.
    pub(crate) downloads: String,
    pub(crate) downloads_total: i64,
    /// Written by statements only.
    pub(crate) version: i64,
    /// Written once, with the job.
    pub(crate) campaign: Option<String>,
    pub(crate) ordered_by: Option<String>,
    /// Written with a wish.
    pub(crate) wished_by: Option<String>,
}

impl JobColumns {
    /// Those of a job.
    pub(crate) fn of(job: &Job) -> Result<Self, RowError> {
        let delivery = job.delivery();
        let bag = delivery.map(|delivery| serde_json::to_string(&delivery.bag));
        let completeness = delivery.map(|delivery| serde_json::to_string(&delivery.completeness));
        let columns = Self {
            id: job.id.to_string(),
            owner: job.owner.to_string(),
            request: serde_json::to_string(&job.request)?,
            requested: to_column(job.requested),
            began: job.began.map(to_column),
            state: job.state.name().to_string(),
            ready_at: delivery.map(|delivery| to_column(delivery.ready)),
            bag: bag.transpose()?,
            completeness: completeness.transpose()?,
            paused_since: job.paused_since.map(to_column),
            deaths: i64::from(job.deaths),
            notes: serde_json::to_string(&job.notes)?,
            ..Self::default()
        };
        columns.with_state(&job.state)
    }

    fn with_state(mut self, state: &JobState) -> Result<Self, RowError> {
        match state {
            JobState::Queued | JobState::Running => {}
            JobState::Waiting {
                waiting_for,
                retry,
                give_up,
            } => {
                self.waiting_for = Some(waiting_for.to_string());
                self.retry_at = retry.map(to_column);
                self.give_up_at = Some(to_column(*give_up));
            }
            JobState::Ready { expires, .. } => self.expires_at = Some(to_column(*expires)),
            JobState::Failed {
                at,
                failure,
                resumable_until,
            } => {
                self.ended_at = Some(to_column(*at));
                self.failure = Some(serde_json::to_string(failure)?);
                self.resumable_until = resumable_until.map(to_column);
            }
            JobState::Cancelled { at }
            | JobState::Expired { at, .. }
            | JobState::Deleted { at, .. } => self.ended_at = Some(to_column(*at)),
        }
        Ok(self)
    }

    /// The job of these columns.
    pub(crate) fn read(self) -> Result<StoredJob, RowError> {
        let job = Job {
            id: JobId::parse(&self.id)?,
            owner: UserId::parse(&self.owner)?,
            request: serde_json::from_str(&self.request)?,
            requested: from_column(self.requested),
            began: self.began.map(from_column),
            state: self.state()?,
            paused_since: self.paused_since.map(from_column),
            deaths: u32::try_from(self.deaths)?,
            notes: serde_json::from_str(&self.notes)?,
            downloads: serde_json::from_str(&self.downloads)?,
            downloads_total: u64::try_from(self.downloads_total)?,
            campaign: self.mark()?,
            wished_by: self.wished_by.as_deref().map(UserId::parse).transpose()?,
        };
        let version = Version(u64::try_from(self.version)?);
        Ok(StoredJob { job, version })
    }

    /// The campaign of a job, and who ordered it.
    fn mark(&self) -> Result<Option<CampaignMark>, RowError> {
        let (Some(campaign), Some(by)) = (&self.campaign, &self.ordered_by) else {
            return Ok(None);
        };
        Ok(Some(CampaignMark {
            id: CampaignId::parse(campaign)?,
            requested_by: UserId::parse(by)?,
        }))
    }

    fn state(&self) -> Result<JobState, RowError> {
        let ended = || needed(self.ended_at).map(from_column);
        Ok(match read_name(self.state.clone())? {
            JobStateName::Queued => JobState::Queued,
            JobStateName::Running => JobState::Running,
            JobStateName::Waiting => JobState::Waiting {
                waiting_for: read_name::<WaitingFor>(needed(self.waiting_for.clone())?)?,
                retry: self.retry_at.map(from_column),
                give_up: from_column(needed(self.give_up_at)?),
            },
            JobStateName::Ready => JobState::Ready {
                delivery: self.delivery()?,
                expires: from_column(needed(self.expires_at)?),
            },
            JobStateName::Failed => JobState::Failed {
                at: ended()?,
                failure: serde_json::from_str(&needed(self.failure.clone())?)?,
                resumable_until: self.resumable_until.map(from_column),
            },
            JobStateName::Cancelled => JobState::Cancelled { at: ended()? },
            JobStateName::Expired => JobState::Expired {
                delivery: self.delivery()?,
                at: ended()?,
            },
            JobStateName::Deleted => JobState::Deleted {
                delivery: self.delivery()?,
                at: ended()?,
            },
        })
    }

    fn delivery(&self) -> Result<Delivery, RowError> {
        Ok(Delivery {
            ready: from_column(needed(self.ready_at)?),
            bag: serde_json::from_str(&needed(self.bag.clone())?)?,
            completeness: serde_json::from_str(&needed(self.completeness.clone())?)?,
        })
    }
}

/// A column that this state has.
fn needed<T>(value: Option<T>) -> Result<T, RowError> {
    value.ok_or_else(|| "a column of the job's state is empty".into())
}

/// A value of a column that is one of the names of an enum.
pub(crate) fn read_name<T: serde::de::DeserializeOwned>(name: String) -> Result<T, RowError> {
    Ok(serde_json::from_value(Value::String(name))?)
}

/// How many jobs have each state, in the order of a job's life.
pub(crate) fn in_order(mut counts: Vec<(JobStateName, u64)>) -> Vec<(JobStateName, u64)> {
    counts.sort_by_key(|(name, _)| JobStateName::ALL.iter().position(|known| known == name));
    counts
}

/// What is wanted of a job. What a newer version may have written is no wish that is known here.
pub(crate) fn wish_of(name: Option<&str>) -> Option<Wish> {
    name.and_then(|name| (name == wish_name(Wish::Cancel)).then_some(Wish::Cancel))
}

pub(crate) fn wish_name(wish: Wish) -> &'static str {
    match wish {
        Wish::Cancel => "cancel",
    }
}

/// The entry of a download. Its bytes are with its transfers.
pub(crate) fn download(transfer: TransferEntry) -> AuditEntry {
    AuditEntry {
        at: transfer.at,
        action: AuditAction::Downloaded,
        actor: Some(transfer.actor),
        subject: Some(transfer.subject),
        from: Some(transfer.from),
        export: Some(transfer.export),
        sha256: Some(transfer.sha256),
        bytes: None,
        detail: None,
    }
}

/// A number as a column; what is beyond every disk is the largest one.
pub(crate) fn number_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of things as a column.
pub(crate) fn count_column(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
