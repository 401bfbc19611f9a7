//! Jobs as rows of PostgreSQL.

use domain::jobs::{Job, JobId, StoredJob, Wish};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Postgres, Row as _, query::Query};

use crate::columns::{RowError, bind_job_columns, read_job_columns, wish_of};

pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds a job to the first parameters of a statement.
pub(super) fn bind_job<'q>(statement: Statement<'q>, job: &Job) -> Result<Statement<'q>, RowError> {
    Ok(bind_job_columns!(statement, job))
}

/// Reads a row with all columns.
pub(super) fn read_job(row: &PgRow) -> Result<StoredJob, RowError> {
    read_job_columns!(row)
}

pub(super) fn read_id(row: &PgRow, column: &str) -> Result<JobId, RowError> {
    Ok(JobId::parse(row.try_get(column)?)?)
}

/// What is wanted of a job.
pub(super) fn read_wish(row: &PgRow) -> Result<Option<Wish>, RowError> {
    Ok(wish_of(row.try_get("wish")?))
}
