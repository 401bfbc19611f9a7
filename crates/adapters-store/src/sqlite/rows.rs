//! Jobs as rows of SQLite.

use domain::jobs::{Job, JobId, StoredJob, Wish};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, query::Query};

pub(super) use crate::columns::{RowError, read_name, wish_name};
use crate::columns::{bind_job_columns, read_job_columns, wish_of};

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

/// Binds a job to [`INSERT`] or to the first parameters of an update.
pub(super) fn bind_job<'q>(statement: Statement<'q>, job: &Job) -> Result<Statement<'q>, RowError> {
    Ok(bind_job_columns!(statement, job))
}

/// Reads a row with all columns.
pub(super) fn read_job(row: &SqliteRow) -> Result<StoredJob, RowError> {
    read_job_columns!(row)
}

pub(super) fn read_id(row: &SqliteRow, column: &str) -> Result<JobId, RowError> {
    Ok(JobId::parse(row.try_get(column)?)?)
}

pub(super) fn read_number(row: &SqliteRow, column: &str) -> Result<u64, RowError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?)?)
}

/// What is wanted of a job.
pub(super) fn read_wish(row: &SqliteRow) -> Result<Option<Wish>, RowError> {
    Ok(wish_of(row.try_get("wish")?))
}
