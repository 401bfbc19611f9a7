//! The steps of one job, and of the failed jobs of a campaign.

use bytes::Bytes;
use domain::jobs::{
    Admitted, CampaignId, Job, JobId, JobState, JobStoreError, Lease, Shares, StoredJob, Transfer,
    Version, WaitingFor, Wish,
};
use jiff::Timestamp;

use super::{StepResult, rows};
use crate::database::Transaction;
use crate::failure::{conflict, lost, unknown};

/// A job as it stands now.
pub(crate) struct Written {
    pub(crate) stored: StoredJob,
    /// Sealed credentials were deleted with it.
    pub(crate) forgot_credentials: bool,
}

pub(crate) async fn admit<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    mut job: Job,
    shares: &Shares,
) -> StepResult<Admitted, Tx> {
    rows::lock_orders(tx).await?;
    let now = tx.now().await?;
    if rows::job(tx, &job.id).await?.is_some() {
        return Err(JobStoreError::Exists { id: job.id }.into());
    }
    let under_way = rows::under_way(tx, &job.owner).await?;
    let same = |stored: &StoredJob| stored.job.request == job.request;
    if let Some(stored) = under_way.into_iter().find(same) {
        return Ok(Admitted::Same(stored));
    }
    let standing = rows::standing(tx, &job.owner, now).await?;
    let remark = shares.remark(&standing);
    shares.check(standing, now)?;
    job.requested = now;
    job.add_notes(remark.into_iter().collect());
    Ok(Admitted::New(rows::insert(tx, &job).await?))
}

/// One step of a run that ends it or interrupts it. `report` is what it delivered.
pub(crate) async fn leave<Tx, F>(
    tx: &mut Tx,
    lease: &Lease,
    notes: Vec<String>,
    report: Option<Bytes>,
    step: F,
) -> StepResult<Written, Tx>
where
    Tx: Transaction + ?Sized,
    F: FnOnce(&mut Job, Option<Wish>, Timestamp) -> bool + Send,
{
    let lost = || lost(&lease.job);
    let now = tx.now().await?;
    let (mut job, wish) = rows::held(tx, lease).await?.ok_or_else(lost)?;
    if !step(&mut job, wish, now) {
        return Err(lost().into());
    }
    job.add_notes(notes);
    let stored = rows::replace_held(tx, lease, &job)
        .await?
        .ok_or_else(lost)?;
    if let Some(report) = report {
        rows::write_report(tx, &job.id, report).await?;
    }
    let forgot_credentials = tidy(tx, &job).await?;
    Ok(Written {
        stored,
        forgot_credentials,
    })
}

pub(crate) async fn replace<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    seen: Version,
    job: &Job,
) -> StepResult<Written, Tx> {
    let Some(stored) = rows::replace(tx, seen, job).await? else {
        return Err(match rows::job(tx, &job.id).await? {
            Some(_) => conflict(&job.id).into(),
            None => unknown(&job.id).into(),
        });
    };
    let forgot_credentials = tidy(tx, job).await?;
    Ok(Written {
        stored,
        forgot_credentials,
    })
}

/// Frees the slots and deletes the credentials of a job that is over. A job that waits for a person loses its slots too, since that may take
/// weeks. Gives whether there were credentials.
async fn tidy<Tx: Transaction + ?Sized>(tx: &mut Tx, job: &Job) -> StepResult<bool, Tx> {
    let waits_for_person = matches!(
        job.state,
        JobState::Waiting {
            waiting_for: WaitingFor::SignIn,
            ..
        }
    );
    if waits_for_person || !job.is_unfinished() {
        rows::free_slots(tx, &job.id).await?;
    }
    if job.is_unfinished() {
        return Ok(false);
    }
    rows::delete_progress(tx, &job.id).await?;
    let own = rows::delete_credentials(tx, &job.id).await?;
    // With the last job of a campaign. Where two end in the same moment, the next sweep does that.
    let administrators = match &job.campaign {
        Some(campaign) => rows::delete_administrators(tx, &campaign.id).await?,
        None => false,
    };
    Ok(own || administrators)
}

pub(crate) async fn add_transfer<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &JobId,
    transfer: &Transfer,
) -> StepResult<(), Tx> {
    let stored = rows::job(tx, id).await?.ok_or_else(|| unknown(id))?;
    let mut job = stored.job;
    job.record_transfer(transfer);
    rows::write_downloads(tx, &job).await
}

/// Failed jobs that are read at a time.
const PAGE: usize = 500;

/// Queues those failed jobs of a campaign again that can be tried again, and gives them.
pub(super) async fn retry_failed<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &CampaignId,
    now: Timestamp,
) -> StepResult<Vec<JobId>, Tx> {
    let mut retried = Vec::new();
    let mut after: Option<JobId> = None;
    loop {
        let page = rows::failed_of(tx, campaign, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(retried);
        };
        after = Some(last.job.id.clone());
        for StoredJob { mut job, version } in page {
            if job.retry(now).is_ok() {
                replace(tx, version, &job).await?;
                retried.push(job.id);
            }
        }
    }
}
