//! The jobs.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{
    Admitted, Change, Claim, ClaimLimits, Ending, Job, JobId, JobPage, JobProgress, JobStateName,
    JobStore, JobStoreError, Lease, Pause, Renewed, Shares, StoredJob, Transfer, Version, Whose,
    Wish, WorkerId,
};
use domain::model::UserId;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use super::{JobEngine, SqlJobStore, failed, forget_deleted, jobs_of, now, rows};
use crate::columns::{count_column, wish_name};
use crate::database::SqlDatabase;
use crate::dialect::Dialect as _;
use crate::failure::{conflict, lost, unknown};
use crate::moments::to_column;
use crate::rows::{Columns as _, read_counts, read_ids, read_owned, read_progress};
use crate::statement::Statement;
use crate::statements::{
    ALL_SIGNED_IN, COUNT, GIVE_BACK, GIVEN_UP, JOB, JOB_OF, JOBS, OVERDUE, REPORT, SIGNED_IN,
    UNFINISHED, VOID, WISH,
};
use crate::steps::{self, Written};

async fn only<E: JobEngine>(
    engine: &E,
    statement: Statement,
    id: &JobId,
) -> Result<StoredJob, JobStoreError> {
    let found = jobs_of(engine, statement).await?;
    found.into_iter().next().ok_or_else(|| unknown(id))
}

/// The jobs that such a statement finds at this moment.
async fn jobs_now<E: JobEngine>(
    engine: &E,
    sql: &'static str,
) -> Result<Vec<StoredJob>, JobStoreError> {
    let now = now(engine).await?;
    jobs_of(engine, Statement::of(sql).bind(to_column(now))).await
}

/// Changed by one statement, whose rows have the ids.
async fn change<E: JobEngine>(engine: &E, statement: Statement) -> Result<u64, JobStoreError> {
    let rows = engine.database().write(statement).await;
    let rows = rows.map_err(failed::<E>)?;
    for id in read_ids(&rows).map_err(JobStoreError::Unavailable)? {
        engine.notify(&id);
    }
    Ok(rows.len() as u64)
}

/// One step of a run that ends it or interrupts it.
async fn leave<E, F>(
    engine: &E,
    lease: &Lease,
    notes: Vec<String>,
    report: Option<Bytes>,
    step: F,
) -> Result<StoredJob, JobStoreError>
where
    E: JobEngine,
    F: FnOnce(&mut Job, Option<Wish>, Timestamp) -> bool + Send + 'static,
{
    let lease = lease.clone();
    let left = engine.step(move |tx| {
        Box::pin(async move { steps::leave(tx, &lease, notes, report, step).await })
    });
    Ok(written(engine, left.await?).await)
}

/// A job as it stands now: who watches it hears of it.
async fn written<E: JobEngine>(engine: &E, written: Written) -> StoredJob {
    engine.notify(&written.stored.job.id);
    if written.forgot_credentials {
        forget_deleted(engine).await;
    }
    written.stored
}

#[async_trait]
impl<E: JobEngine> JobStore for SqlJobStore<E> {
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError> {
        let shares = shares.clone();
        let admitted = self
            .engine
            .step(move |tx| Box::pin(async move { steps::admit(tx, job, &shares).await }));
        let admitted = admitted.await?;
        if let Admitted::New(stored) = &admitted {
            self.engine.notify(&stored.job.id);
        }
        Ok(admitted)
    }

    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError> {
        let statement = Statement::of(JOB_OF).bind(id.as_str());
        only(&self.engine, statement.bind(owner.as_str()), id).await
    }

    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError> {
        only(&self.engine, Statement::of(JOB).bind(id.as_str()), id).await
    }

    async fn list(&self, whose: &Whose, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError> {
        let owner = match whose {
            Whose::Of(owner) => Some(owner.as_str()),
            Whose::Everybodys => None,
        };
        if let Some(after) = &page.after {
            match whose {
                Whose::Of(owner) => self.get(owner, after).await?,
                Whose::Everybodys => self.find(after).await?,
            };
        }
        let statement = Statement::of(JOBS)
            .bind(owner)
            .bind(page.after.as_ref().map(JobId::as_str))
            .bind(count_column(page.limit));
        jobs_of(&self.engine, statement).await
    }

    async fn report(&self, id: &JobId) -> Result<Option<Bytes>, JobStoreError> {
        let statement = Statement::of(REPORT).bind(id.as_str());
        let rows = rows(&self.engine, statement).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        let report = row.some_bytes("report");
        Ok(report.map_err(JobStoreError::Unavailable)?.map(Bytes::from))
    }

    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError> {
        let in_place = self.engine.database().in_place().await;
        in_place.map_err(failed::<E>)?;
        let rows = rows(&self.engine, Statement::of(COUNT)).await?;
        read_counts(&rows).map_err(JobStoreError::Unavailable)
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError> {
        let rows = rows(&self.engine, Statement::of(UNFINISHED)).await?;
        read_owned(&rows).map_err(JobStoreError::Unavailable)
    }

    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError> {
        if job.state.name() == JobStateName::Running {
            // Only a claim makes a job run.
            return Err(conflict(&job.id));
        }
        let replaced = self
            .engine
            .step(move |tx| Box::pin(async move { steps::replace(tx, seen, &job).await }));
        Ok(written(&self.engine, replaced.await?).await)
    }

    async fn record_transfer(&self, id: &JobId, transfer: Transfer) -> Result<(), JobStoreError> {
        let job = id.clone();
        let added = self.engine.step(move |tx| {
            Box::pin(async move { steps::add_transfer(tx, &job, &transfer).await })
        });
        added.await?;
        self.engine.notify(id);
        Ok(())
    }

    async fn overdue(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        jobs_now(&self.engine, OVERDUE).await
    }

    async fn given_up(&self) -> Result<Vec<StoredJob>, JobStoreError> {
        jobs_now(&self.engine, GIVEN_UP).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, JobStoreError> {
        self.engine.claim(worker, term, Some(limits)).await
    }

    async fn take_over(
        &self,
        worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError> {
        self.engine.claim(worker, term, None).await
    }

    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError> {
        self.engine.renew(held, term).await
    }

    async fn give_back(&self, lease: &Lease) -> Result<(), JobStoreError> {
        let statement = Statement::of(GIVE_BACK)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str());
        match change(&self.engine, statement).await? {
            0 => Err(lost(&lease.job)),
            _ => Ok(()),
        }
    }

    async fn pause(
        &self,
        lease: &Lease,
        pause: Pause,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        leave(&self.engine, lease, notes, None, move |job, wish, now| {
            pause.apply(job, wish, now).is_ok()
        })
        .await
    }

    async fn settle(
        &self,
        lease: &Lease,
        ending: Ending,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError> {
        let report = ending.report().cloned();
        leave(&self.engine, lease, notes, report, move |job, _, now| {
            ending.apply(job, now).is_ok()
        })
        .await
    }

    async fn signed_in(&self, whose: &Whose) -> Result<u64, JobStoreError> {
        let statement = match whose {
            Whose::Of(person) => Statement::of(SIGNED_IN).bind(person.as_str()),
            Whose::Everybodys => Statement::of(ALL_SIGNED_IN),
        };
        change(&self.engine, statement).await
    }

    async fn wish(
        &self,
        owner: &UserId,
        id: &JobId,
        wish: Wish,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        let statement = Statement::of(WISH)
            .bind(id.as_str())
            .bind(owner.as_str())
            .bind(wish_name(wish))
            .bind(by.as_str());
        let wished = self.engine.database().write(statement).await;
        if wished.map_err(failed::<E>)?.is_empty() {
            // Somebody else's job is unknown.
            self.get(owner, id).await?;
            return Err(conflict(id));
        }
        self.engine.notify_now(id).await;
        Ok(())
    }

    async fn record_progress(&self, runs: &[(Lease, JobProgress)]) -> Result<(), JobStoreError> {
        self.engine.record_progress(runs).await?;
        for (lease, _) in runs {
            self.engine.notify(&lease.job);
        }
        Ok(())
    }

    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError> {
        let statement =
            Statement::of(<E::Database as SqlDatabase>::Engine::PROGRESS).bind(id.as_str());
        let rows = rows(&self.engine, statement).await?;
        let row = rows.first().ok_or_else(|| unknown(id))?;
        read_progress(row).map_err(JobStoreError::Unavailable)
    }

    async fn void_leases(&self) -> Result<u64, JobStoreError> {
        change(&self.engine, Statement::of(VOID)).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        self.engine.changes()
    }

    async fn now(&self) -> Result<Timestamp, JobStoreError> {
        now(&self.engine).await
    }
}
