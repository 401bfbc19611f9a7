//! The steps of one job, and of the failed jobs of a campaign.

use bytes::Bytes;
use domain::jobs::{
    Admitted, CampaignId, Job, JobId, JobState, JobStoreError, Lease, Shares, StoredJob, Transfer,
    Version, WaitingFor, Wish,
};
use jiff::Timestamp;

use super::{Done, Transaction, rows as table};
use crate::failure::{conflict, lost, unknown};

/// A job as it stands now.
pub(crate) struct Written {
    pub(crate) stored: StoredJob,
    /// Sealed credentials were deleted with it.
    pub(crate) forgot_credentials: bool,
}

pub(crate) async fn admit<X: Transaction + ?Sized>(
    rows: &mut X,
    mut job: Job,
    shares: &Shares,
) -> Done<Admitted, X> {
    table::lock_orders(rows).await?;
    let now = rows.now().await?;
    if table::job(rows, &job.id).await?.is_some() {
        return Err(JobStoreError::Exists { id: job.id }.into());
    }
    let under_way = table::under_way(rows, &job.owner).await?;
    let same = |stored: &StoredJob| stored.job.request == job.request;
    if let Some(stored) = under_way.into_iter().find(same) {
        return Ok(Admitted::Same(stored));
    }
    let standing = table::standing(rows, &job.owner, now).await?;
    let remark = shares.remark(&standing);
    shares.check(standing, now)?;
    job.requested = now;
    job.add_notes(remark.into_iter().collect());
    Ok(Admitted::New(table::insert(rows, &job).await?))
}

/// One step of a run that ends it or interrupts it. `report` is what it delivered.
pub(crate) async fn leave<X, F>(
    rows: &mut X,
    lease: &Lease,
    notes: Vec<String>,
    report: Option<Bytes>,
    step: F,
) -> Done<Written, X>
where
    X: Transaction + ?Sized,
    F: FnOnce(&mut Job, Option<Wish>, Timestamp) -> bool + Send,
{
    let lost = || lost(&lease.job);
    let now = rows.now().await?;
    let (mut job, wish) = table::held(rows, lease).await?.ok_or_else(lost)?;
    if !step(&mut job, wish, now) {
        return Err(lost().into());
    }
    job.add_notes(notes);
    let stored = table::replace_held(rows, lease, &job)
        .await?
        .ok_or_else(lost)?;
    if let Some(report) = report {
        table::write_report(rows, &job.id, report).await?;
    }
    let forgot_credentials = tidy(rows, &job).await?;
    Ok(Written {
        stored,
        forgot_credentials,
    })
}

pub(crate) async fn replace<X: Transaction + ?Sized>(
    rows: &mut X,
    seen: Version,
    job: &Job,
) -> Done<Written, X> {
    let Some(stored) = table::replace(rows, seen, job).await? else {
        return Err(match table::job(rows, &job.id).await? {
            Some(_) => conflict(&job.id).into(),
            None => unknown(&job.id).into(),
        });
    };
    let forgot_credentials = tidy(rows, job).await?;
    Ok(Written {
        stored,
        forgot_credentials,
    })
}

/// A job that is over needs no credentials and no slots; nor does one keep slots that waits for a person, perhaps for weeks. Gives whether
/// there were credentials.
async fn tidy<X: Transaction + ?Sized>(rows: &mut X, job: &Job) -> Done<bool, X> {
    let waits_for_person = matches!(
        job.state,
        JobState::Waiting {
            waiting_for: WaitingFor::SignIn,
            ..
        }
    );
    if waits_for_person || !job.is_unfinished() {
        table::free_slots(rows, &job.id).await?;
    }
    if job.is_unfinished() {
        return Ok(false);
    }
    table::delete_progress(rows, &job.id).await?;
    let own = table::delete_credentials(rows, &job.id).await?;
    // With the last job of a campaign. Where two end in the same moment, the next sweep does that.
    let administrators = match &job.campaign {
        Some(campaign) => table::delete_administrators(rows, &campaign.id).await?,
        None => false,
    };
    Ok(own || administrators)
}

pub(crate) async fn add_transfer<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &JobId,
    transfer: &Transfer,
) -> Done<(), X> {
    let stored = table::job(rows, id).await?.ok_or_else(|| unknown(id))?;
    let mut job = stored.job;
    job.record_transfer(transfer);
    table::write_downloads(rows, &job).await
}

/// Failed jobs that are read at a time.
const PAGE: usize = 500;

/// Queues those failed jobs of a campaign again that can be tried again, and gives them.
pub(super) async fn retry_failed<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &CampaignId,
    now: Timestamp,
) -> Done<Vec<JobId>, X> {
    let mut retried = Vec::new();
    let mut after: Option<JobId> = None;
    loop {
        let page = table::failed_of(rows, campaign, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(retried);
        };
        after = Some(last.job.id.clone());
        for StoredJob { mut job, version } in page {
            if job.retry(now).is_ok() {
                replace(rows, version, &job).await?;
                retried.push(job.id);
            }
        }
    }
}
