//! Jobs as rows.

use domain::jobs::{
    CampaignId, CampaignMark, Delivery, Job, JobId, JobState, JobStateName, StoredJob, Version,
    WaitingFor, Wish,
};
use domain::model::UserId;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, query::Query};
use std::error::Error as StdError;

use super::moments::{from_column, to_column};

/// What reading a row can fail with.
pub(super) type RowError = Box<dyn StdError + Send + Sync>;

pub(super) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// All columns of a job but those of its lease and its progress, in the order in which [`bind_job`] binds them after the id.
pub(super) const INSERT: &str = "INSERT INTO jobs (id, owner, request, requested, began, state, waiting_for, retry_at, \
    give_up_at, ended_at, failure, resumable_until, ready_at, expires_at, bag, completeness, paused_since, deaths, notes) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *";

/// Replaces a job that nobody runs.
pub(super) const UPDATE: &str = "UPDATE jobs SET owner = ?2, request = ?3, requested = ?4, began = ?5, state = ?6, \
    waiting_for = ?7, retry_at = ?8, give_up_at = ?9, ended_at = ?10, failure = ?11, resumable_until = ?12, ready_at = ?13, \
    expires_at = ?14, bag = ?15, completeness = ?16, paused_since = ?17, deaths = ?18, notes = ?19, \
    version = version + 1, wish = CASE WHEN ?6 IN ('queued', 'waiting') THEN wish END \
    WHERE id = ?1 AND version = ?20 AND state <> 'running' RETURNING *";

/// Ends or interrupts a run, by whoever holds the lease.
pub(super) const UPDATE_LEASED: &str = "UPDATE jobs SET owner = ?2, request = ?3, requested = ?4, began = ?5, state = ?6, \
    waiting_for = ?7, retry_at = ?8, give_up_at = ?9, ended_at = ?10, failure = ?11, resumable_until = ?12, ready_at = ?13, \
    expires_at = ?14, bag = ?15, completeness = ?16, paused_since = ?17, deaths = ?18, notes = ?19, \
    version = version + 1, wish = CASE WHEN ?6 IN ('queued', 'waiting') THEN wish END, \
    token = NULL, worker = NULL, lease_until = NULL \
    WHERE id = ?1 AND token = ?20 RETURNING *";

/// The columns of a state.
#[derive(Default)]
struct StateColumns {
    waiting_for: Option<String>,
    retry_at: Option<Timestamp>,
    give_up_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    failure: Option<String>,
    resumable_until: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

impl StateColumns {
    fn of(state: &JobState) -> Result<Self, RowError> {
        let mut columns = Self::default();
        match state {
            JobState::Queued | JobState::Running => {}
            JobState::Waiting {
                waiting_for,
                retry,
                give_up,
            } => {
                columns.waiting_for = Some(waiting_for.to_string());
                columns.retry_at = *retry;
                columns.give_up_at = Some(*give_up);
            }
            JobState::Ready { expires, .. } => columns.expires_at = Some(*expires),
            JobState::Failed {
                at,
                failure,
                resumable_until,
            } => {
                columns.ended_at = Some(*at);
                columns.failure = Some(serde_json::to_string(failure)?);
                columns.resumable_until = *resumable_until;
            }
            JobState::Cancelled { at }
            | JobState::Expired { at, .. }
            | JobState::Deleted { at, .. } => columns.ended_at = Some(*at),
        }
        Ok(columns)
    }
}

/// Binds a job to [`INSERT`] or to the first parameters of an update.
pub(super) fn bind_job<'q>(statement: Statement<'q>, job: &Job) -> Result<Statement<'q>, RowError> {
    let columns = StateColumns::of(&job.state)?;
    let delivery = job.delivery();
    let bag = delivery.map(|delivery| serde_json::to_string(&delivery.bag));
    let completeness = delivery.map(|delivery| serde_json::to_string(&delivery.completeness));
    Ok(statement
        .bind(job.id.as_str().to_owned())
        .bind(job.owner.to_string())
        .bind(serde_json::to_string(&job.request)?)
        .bind(to_column(job.requested))
        .bind(job.began.map(to_column))
        .bind(job.state.name().to_string())
        .bind(columns.waiting_for)
        .bind(columns.retry_at.map(to_column))
        .bind(columns.give_up_at.map(to_column))
        .bind(columns.ended_at.map(to_column))
        .bind(columns.failure)
        .bind(columns.resumable_until.map(to_column))
        .bind(delivery.map(|delivery| to_column(delivery.ready)))
        .bind(columns.expires_at.map(to_column))
        .bind(bag.transpose()?)
        .bind(completeness.transpose()?)
        .bind(job.paused_since.map(to_column))
        .bind(i64::from(job.deaths))
        .bind(serde_json::to_string(&job.notes)?))
}

/// Reads a row with all columns.
pub(super) fn read_job(row: &SqliteRow) -> Result<StoredJob, RowError> {
    let moment = |column: &str| -> Result<Option<Timestamp>, RowError> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(from_column))
    };
    let json = |column: &str| -> Result<String, RowError> { Ok(row.try_get(column)?) };
    let job = Job {
        id: read_id(row, "id")?,
        owner: UserId::parse(&json("owner")?)?,
        request: serde_json::from_str(&json("request")?)?,
        requested: from_column(row.try_get("requested")?),
        began: moment("began")?,
        state: read_state(row)?,
        paused_since: moment("paused_since")?,
        deaths: u32::try_from(row.try_get::<i64, _>("deaths")?)?,
        notes: serde_json::from_str(&json("notes")?)?,
        downloads: serde_json::from_str(&json("downloads")?)?,
        downloads_total: read_number(row, "downloads_total")?,
        campaign: read_mark(row)?,
    };
    let version = Version(read_number(row, "version")?);
    Ok(StoredJob { job, version })
}

/// The campaign of a job, and who ordered it.
fn read_mark(row: &SqliteRow) -> Result<Option<CampaignMark>, RowError> {
    let campaign: Option<String> = row.try_get("campaign")?;
    let requested_by: Option<String> = row.try_get("ordered_by")?;
    let (Some(campaign), Some(requested_by)) = (campaign, requested_by) else {
        return Ok(None);
    };
    Ok(Some(CampaignMark {
        id: CampaignId::parse(&campaign)?,
        requested_by: UserId::parse(&requested_by)?,
    }))
}

pub(super) fn read_id(row: &SqliteRow, column: &str) -> Result<JobId, RowError> {
    Ok(JobId::parse(row.try_get(column)?)?)
}

pub(super) fn read_number(row: &SqliteRow, column: &str) -> Result<u64, RowError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?)?)
}

/// What is wanted of a job. What a newer version may have written is no wish that is known here.
pub(super) fn read_wish(row: &SqliteRow) -> Result<Option<Wish>, RowError> {
    let wish: Option<String> = row.try_get("wish")?;
    Ok(wish.and_then(|name| (name == wish_name(Wish::Cancel)).then_some(Wish::Cancel)))
}

pub(super) fn wish_name(wish: Wish) -> &'static str {
    match wish {
        Wish::Cancel => "cancel",
    }
}

/// A value of a column that is one of the names of an enum.
pub(super) fn read_name<T: serde::de::DeserializeOwned>(name: String) -> Result<T, RowError> {
    Ok(serde_json::from_value(Value::String(name))?)
}

fn read_state(row: &SqliteRow) -> Result<JobState, RowError> {
    let moment = |column: &str| -> Result<Option<Timestamp>, RowError> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(from_column))
    };
    let needed = |column: &str| -> Result<Timestamp, RowError> {
        Ok(from_column(row.try_get::<i64, _>(column)?))
    };
    Ok(match read_name(row.try_get("state")?)? {
        JobStateName::Queued => JobState::Queued,
        JobStateName::Running => JobState::Running,
        JobStateName::Waiting => JobState::Waiting {
            waiting_for: read_name::<WaitingFor>(row.try_get("waiting_for")?)?,
            retry: moment("retry_at")?,
            give_up: needed("give_up_at")?,
        },
        JobStateName::Ready => JobState::Ready {
            delivery: read_delivery(row)?,
            expires: needed("expires_at")?,
        },
        JobStateName::Failed => JobState::Failed {
            at: needed("ended_at")?,
            failure: serde_json::from_str(row.try_get("failure")?)?,
            resumable_until: moment("resumable_until")?,
        },
        JobStateName::Cancelled => JobState::Cancelled {
            at: needed("ended_at")?,
        },
        JobStateName::Expired => JobState::Expired {
            delivery: read_delivery(row)?,
            at: needed("ended_at")?,
        },
        JobStateName::Deleted => JobState::Deleted {
            delivery: read_delivery(row)?,
            at: needed("ended_at")?,
        },
    })
}

fn read_delivery(row: &SqliteRow) -> Result<Delivery, RowError> {
    Ok(Delivery {
        ready: from_column(row.try_get("ready_at")?),
        bag: serde_json::from_str(row.try_get("bag")?)?,
        completeness: serde_json::from_str(row.try_get("completeness")?)?,
    })
}
