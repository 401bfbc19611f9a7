//! Jobs as rows of SQLite.

use domain::jobs::{Job, JobId, StoredJob, Wish};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, query::Query};

pub(super) use crate::columns::{RowError, read_name, wish_name};
use crate::columns::{bind_job_columns, read_job_columns, wish_of};

pub(super) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Binds a job to the first parameters of a statement.
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
