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

use crate::failure::{Failure, PortError};
use crate::rows::{Columns, read_jobs};
use crate::statement::Statement;
use crate::steps::{Dialect, Transaction};
use crate::work::Work;

/// A transaction that a step is run in.
pub(crate) type Tx<'c, E> =
    &'c mut (dyn Transaction<Engine = <E as JobEngine>::Engine, Row = <E as JobEngine>::Row> + 'c);

/// What a store of jobs needs of its engine.
#[async_trait]
pub(crate) trait JobEngine: Send + Sync + 'static {
    /// The engine.
    type Engine: Dialect;
    /// What it answers with.
    type Row: Columns + Send + Sync;

    /// The moment it is, by the store's clock.
    async fn now(&self) -> Result<Timestamp, JobStoreError>;

    /// Reads rows.
    async fn read(&self, statement: Statement) -> Result<Vec<Self::Row>, JobStoreError>;

    /// Runs a statement that writes and stands for itself. Gives the rows that it returns.
    async fn write(&self, statement: Statement) -> Result<Vec<Self::Row>, JobStoreError>;

    /// Runs a step: one transaction, on a task of its own. Where its caller is dropped it is still done to its end.
    async fn step<T, E, F>(&self, step: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: PortError + From<Failure<Self::Engine, E>> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self>) -> Work<'c, T, Failure<Self::Engine, E>> + Send + 'static;

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

    /// These jobs of a campaign have changed, or what was decided of it: whoever claims looks at once.
    async fn notify_campaign(&self, jobs: &[JobId]);

    /// What changes from now on.
    fn changes(&self) -> BoxStream<'static, Change>;

    /// Sealed credentials were deleted: their bytes are removed too, where this store can do that.
    async fn forget_deleted(&self);
}

/// Jobs and campaigns in the tables of an engine.
pub struct SqlJobStore<E> {
    pub(crate) engine: E,
}

async fn jobs_of<E: JobEngine>(
    engine: &E,
    statement: Statement,
) -> Result<Vec<StoredJob>, JobStoreError> {
    read_jobs(&engine.read(statement).await?).map_err(JobStoreError::Unavailable)
}
