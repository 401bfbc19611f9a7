//! Jobs and campaigns in the tables of any engine.

mod campaigns;
mod store;

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Change, Claim, ClaimLimits, JobId, JobProgress, JobStoreError, Lease, Renewed, StoredJob,
    WorkerId,
};
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::database::{SqlDatabase, Tx};
use crate::failure::{Failure, PortError, port_error};
use crate::rows::read_jobs;
use crate::statement::Statement;
use crate::work::Work;

/// What a store of jobs needs of its engine.
#[async_trait]
pub(crate) trait JobEngine: Send + Sync + 'static {
    /// The database.
    type Database: SqlDatabase;

    /// The database.
    fn database(&self) -> &Self::Database;

    /// Runs a step in one transaction.
    async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<FailureOf<Self::Database, E>> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self::Database>) -> Work<'c, T, FailureOf<Self::Database, E>>
            + Send
            + 'static;

    /// The job that is next within these limits; without limits only one whose lease ran out, or which nobody runs although it has slots.
    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: Option<ClaimLimits>,
    ) -> Result<Option<Claim>, JobStoreError>;

    /// Those of these leases that are still held, which now last so long.
    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError>;

    /// How far each of these runs is. One whose lease is lost says nothing.
    async fn record_progress(&self, runs: &[(Lease, JobProgress)]) -> Result<(), JobStoreError>;

    /// A job has changed.
    fn notify(&self, job: &JobId);

    /// A job has changed, and somebody waits for that.
    async fn notify_now(&self, job: &JobId);

    /// These jobs of a campaign have changed, or what was decided of it.
    async fn notify_campaign(&self, jobs: &[JobId]);

    /// What changes from now on.
    fn changes(&self) -> BoxStream<'static, Change>;
}

/// Jobs and campaigns in the tables of an engine.
pub struct SqlJobStore<E> {
    pub(crate) engine: E,
}

/// What the statements of a database fail with.
pub(crate) type FailureOf<D, E> = Failure<<D as SqlDatabase>::Engine, E>;

/// What the database of an engine answers with.
type RowOf<E> = <<E as JobEngine>::Database as SqlDatabase>::Row;

fn failed<E: JobEngine>(error: sqlx::Error) -> JobStoreError {
    port_error::<<E::Database as SqlDatabase>::Engine, _>(error)
}

async fn now<E: JobEngine>(engine: &E) -> Result<Timestamp, JobStoreError> {
    engine.database().now().await.map_err(failed::<E>)
}

async fn rows<E: JobEngine>(
    engine: &E,
    statement: Statement,
) -> Result<Vec<RowOf<E>>, JobStoreError> {
    let rows = engine.database().read(statement).await;
    rows.map_err(failed::<E>)
}

async fn jobs_of<E: JobEngine>(
    engine: &E,
    statement: Statement,
) -> Result<Vec<StoredJob>, JobStoreError> {
    read_jobs(&rows(engine, statement).await?).map_err(JobStoreError::Unavailable)
}

/// Removes the bytes of sealed credentials that were deleted. Where that fails it is made up for later, and the step has succeeded all the
/// same.
async fn forget_deleted<E: JobEngine>(engine: &E) {
    if let Err(error) = engine.database().forget_deleted().await {
        tracing::warn!(%error, "the write-ahead log could not be emptied: the next time it is");
    }
}
