//! What the steps read and write.

use bytes::Bytes;
use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignStanding, CampaignState, Job, JobId, JobStoreError,
    Lease, Shares, Standing, StoredJob, Version, Wish,
};
use domain::model::UserId;
use jiff::Timestamp;

use super::StepResult;
use crate::columns::{count_column, number_column};
use crate::database::Transaction;
use crate::dialect::Dialect as _;
use crate::failure::PortError as _;
use crate::moments::{before, to_column};
use crate::rows::{
    read_campaign, read_ids, read_job, read_jobs, read_owned, read_person_standing, read_standing,
    read_wish,
};
use crate::statement::Statement;
use crate::statements::{
    ARCHIVES, CAMPAIGN_STANDING, DELETE_CREDENTIALS, INSERT_CAMPAIGN, ORDERS_SINCE, REPLACE,
    REPLACE_HELD, STANDING, UNDER_WAY, WRITE_CAMPAIGN_STATE, WRITE_DOWNLOADS, WRITE_REPORT,
};

async fn first_job<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    statement: Statement,
) -> StepResult<Option<StoredJob>, Tx> {
    let found = tx.rows(statement).await?;
    Ok(found.first().map(read_job).transpose()?)
}

/// The row that such a statement always gives.
fn given<T, Tx: Transaction + ?Sized>(row: Option<T>) -> StepResult<T, Tx> {
    row.ok_or_else(|| JobStoreError::unavailable("a row is missing".into()).into())
}

/// From here on orders are taken one after the other.
pub(super) async fn lock_orders<Tx: Transaction + ?Sized>(tx: &mut Tx) -> StepResult<(), Tx> {
    if let Some(lock) = Tx::Engine::LOCK_ORDERS {
        tx.rows(Statement::of(lock)).await?;
    }
    Ok(())
}

/// A job, to be changed.
pub(super) async fn job<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &JobId,
) -> StepResult<Option<StoredJob>, Tx> {
    let statement = Statement::of(Tx::Engine::JOB_TO_CHANGE).bind(id.as_str());
    first_job(tx, statement).await
}

/// The job of a lease that is still held, to be changed, and what is wanted of it.
pub(super) async fn held<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    lease: &Lease,
) -> StepResult<Option<(Job, Option<Wish>)>, Tx> {
    let statement = Statement::of(Tx::Engine::HELD_JOB)
        .bind(lease.job.as_str())
        .bind(lease.token.as_str());
    match tx.rows(statement).await?.first() {
        Some(row) => Ok(Some((read_job(row)?.job, read_wish(row)?))),
        None => Ok(None),
    }
}

/// A new job.
pub(super) async fn insert<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    job: &Job,
) -> StepResult<StoredJob, Tx> {
    let statement = Statement::of(Tx::Engine::INSERT_JOB).bind_job(job)?;
    given::<_, Tx>(first_job(tx, statement).await?)
}

/// Replaces a job that nobody runs and that is still of this version.
pub(super) async fn replace<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    seen: Version,
    job: &Job,
) -> StepResult<Option<StoredJob>, Tx> {
    let statement = Statement::of(REPLACE).bind_job(job)?;
    first_job(tx, statement.bind(number_column(seen.0))).await
}

/// Replaces a job whose lease is still held, and ends the lease.
pub(super) async fn replace_held<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    lease: &Lease,
    job: &Job,
) -> StepResult<Option<StoredJob>, Tx> {
    let statement = Statement::of(REPLACE_HELD).bind_job(job)?;
    first_job(tx, statement.bind(lease.token.as_str())).await
}

/// What a job delivered.
pub(super) async fn write_report<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &JobId,
    report: Bytes,
) -> StepResult<(), Tx> {
    let statement = Statement::of(WRITE_REPORT)
        .bind(id.as_str())
        .bind(report.to_vec());
    tx.rows(statement).await?;
    Ok(())
}

/// The downloads of a job, and nothing else of it.
pub(super) async fn write_downloads<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    job: &Job,
) -> StepResult<(), Tx> {
    let statement = Statement::of(WRITE_DOWNLOADS)
        .bind(serde_json::to_string(&job.downloads)?)
        .bind(number_column(job.downloads_total))
        .bind(job.id.as_str());
    tx.rows(statement).await?;
    Ok(())
}

/// The orders of a person's own that are under way and not given up, oldest first.
pub(super) async fn under_way<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    owner: &UserId,
) -> StepResult<Vec<StoredJob>, Tx> {
    let statement = Statement::of(UNDER_WAY).bind(owner.as_str());
    Ok(read_jobs(&tx.rows(statement).await?)?)
}

/// What there is of one person and of all together. Jobs of campaigns do not count.
pub(super) async fn standing<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    owner: &UserId,
    now: Timestamp,
) -> StepResult<Standing, Tx> {
    let of_owner = |sql| Statement::of(sql).bind(owner.as_str());
    let counts = tx.rows(of_owner(STANDING)).await?;
    let orders = of_owner(ORDERS_SINCE).bind(before(now, Shares::DAY));
    let orders = tx.rows(orders).await?;
    let archives = of_owner(ARCHIVES).bind(to_column(now));
    let archives = tx.rows(archives).await?;
    let counts = given::<_, Tx>(counts.first())?;
    Ok(read_person_standing(counts, &orders, &archives)?)
}

/// Failed jobs of a campaign after this one, to be changed: so many in the order of their ids.
pub(super) async fn failed_of<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &CampaignId,
    after: Option<&JobId>,
    limit: usize,
) -> StepResult<Vec<StoredJob>, Tx> {
    let statement = Statement::of(Tx::Engine::FAILED_TO_CHANGE)
        .bind(campaign.as_str())
        .bind(after.map(JobId::as_str))
        .bind(count_column(limit));
    Ok(read_jobs(&tx.rows(statement).await?)?)
}

/// The slots of a job are free.
pub(super) async fn free_slots<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    job: &JobId,
) -> StepResult<(), Tx> {
    for sql in Tx::Engine::FREE_SLOTS {
        tx.rows(Statement::of(sql).bind(job.as_str())).await?;
    }
    Ok(())
}

/// Nobody asks any more how far the runs of a job are.
pub(super) async fn delete_progress<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    job: &JobId,
) -> StepResult<(), Tx> {
    if let Some(sql) = Tx::Engine::DELETE_PROGRESS {
        tx.rows(Statement::of(sql).bind(job.as_str())).await?;
    }
    Ok(())
}

/// Deletes what is sealed for a job. Gives whether there was something.
pub(super) async fn delete_credentials<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    job: &JobId,
) -> StepResult<bool, Tx> {
    let statement = Statement::of(DELETE_CREDENTIALS).bind(job.as_str());
    Ok(!tx.rows(statement).await?.is_empty())
}

/// Deletes what is sealed for a campaign's administrator, unless a job of it is unfinished. Gives whether there was something.
pub(super) async fn delete_administrators<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &CampaignId,
) -> StepResult<bool, Tx> {
    let statement = Statement::of(Tx::Engine::DELETE_ADMINISTRATORS).bind(campaign.as_str());
    Ok(!tx.rows(statement).await?.is_empty())
}

/// A new campaign, with one queued job for each of these people. `None` where it is there already.
pub(super) async fn insert_campaign<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
    now: Timestamp,
) -> StepResult<Option<Campaign>, Tx> {
    let by = campaign.requested_by.as_str();
    let statement = Statement::of(INSERT_CAMPAIGN)
        .bind(campaign.id.as_str())
        .bind(by)
        .bind(to_column(now))
        .bind(serde_json::to_string(&campaign.order)?)
        .bind(count_column(people.len()));
    let created = tx.rows(statement).await?;
    let Some(created) = created.first().map(read_campaign).transpose()? else {
        return Ok(None);
    };
    let pairs = people.iter().map(|(id, user)| [id.as_str(), user.as_str()]);
    let statement = Statement::of(Tx::Engine::INSERT_JOBS)
        .bind(serde_json::to_string(&pairs.collect::<Vec<_>>())?)
        .bind(serde_json::to_string(&campaign.order.request)?)
        .bind(to_column(now))
        .bind(campaign.id.as_str())
        .bind(by);
    tx.rows(statement).await?;
    Ok(Some(created))
}

/// A campaign, to be changed.
pub(super) async fn campaign<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
) -> StepResult<Option<Campaign>, Tx> {
    let statement = Statement::of(Tx::Engine::CAMPAIGN_TO_CHANGE).bind(id.as_str());
    let found = tx.rows(statement).await?;
    Ok(found.first().map(read_campaign).transpose()?)
}

/// Where the jobs of a campaign are.
pub(super) async fn campaign_standing<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    now: Timestamp,
) -> StepResult<CampaignStanding, Tx> {
    let statement = Statement::of(CAMPAIGN_STANDING)
        .bind(id.as_str())
        .bind(to_column(now));
    Ok(read_standing(&tx.rows(statement).await?)?)
}

/// What was decided of a campaign.
pub(super) async fn write_state<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    state: CampaignState,
) -> StepResult<Campaign, Tx> {
    let statement = Statement::of(WRITE_CAMPAIGN_STATE)
        .bind(id.as_str())
        .bind(state.name());
    let written = tx.rows(statement).await?;
    Ok(read_campaign(given::<_, Tx>(written.first())?)?)
}

/// Cancels those jobs of a campaign that never began.
pub(super) async fn cancel_unbegun<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    now: Timestamp,
) -> StepResult<Vec<JobId>, Tx> {
    let statement = Statement::of(Tx::Engine::CANCEL_UNBEGUN)
        .bind(id.as_str())
        .bind(to_column(now));
    Ok(read_ids(&tx.rows(statement).await?)?)
}

/// Those jobs of a campaign that are unfinished are to be given up. Gives them with their owners.
pub(super) async fn wish_cancelled<Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    id: &CampaignId,
    by: &UserId,
) -> StepResult<Vec<(JobId, UserId)>, Tx> {
    let statement = Statement::of(Tx::Engine::WISH_CANCELLED)
        .bind(id.as_str())
        .bind(by.as_str());
    Ok(read_owned(&tx.rows(statement).await?)?)
}

/// An entry in the audit trail for each of these jobs. The last write of a step: others that write entries wait for its end.
pub(super) async fn record<'j, Tx: Transaction + ?Sized>(
    tx: &mut Tx,
    jobs: impl Iterator<Item = &'j JobId>,
    action: AuditAction,
    by: &UserId,
    now: Timestamp,
) -> StepResult<(), Tx> {
    let ids: Vec<&str> = jobs.map(JobId::as_str).collect();
    let statement = Statement::of(Tx::Engine::INSERT_ENTRIES)
        .bind(serde_json::to_string(&ids)?)
        .bind(to_column(now))
        .bind(action.name())
        .bind(by.as_str());
    tx.rows(statement).await?;
    Ok(())
}
