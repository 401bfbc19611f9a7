//! What the steps read and write.

use bytes::Bytes;
use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignStanding, CampaignState, Job, JobId, JobStoreError,
    Lease, Shares, Standing, StoredJob, Version, Wish,
};
use domain::model::UserId;
use jiff::Timestamp;

use super::{Dialect as _, Done, Transaction};
use crate::columns::{count_column, number_column};
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

async fn first_job<X: Transaction + ?Sized>(
    rows: &mut X,
    statement: Statement,
) -> Done<Option<StoredJob>, X> {
    let found = rows.rows(statement).await?;
    Ok(found.first().map(read_job).transpose()?)
}

/// The row that such a statement always gives.
fn given<T, X: Transaction + ?Sized>(row: Option<T>) -> Done<T, X> {
    row.ok_or_else(|| JobStoreError::unavailable("a row is missing".into()).into())
}

/// From here on orders are taken one after the other.
pub(super) async fn lock_orders<X: Transaction + ?Sized>(rows: &mut X) -> Done<(), X> {
    if let Some(lock) = X::Engine::LOCK_ORDERS {
        rows.rows(Statement::of(lock)).await?;
    }
    Ok(())
}

/// A job, to be changed.
pub(super) async fn job<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &JobId,
) -> Done<Option<StoredJob>, X> {
    let statement = Statement::of(X::Engine::JOB_TO_CHANGE).bind(id.as_str());
    first_job(rows, statement).await
}

/// The job of a lease that is still held, to be changed, and what is wanted of it.
pub(super) async fn held<X: Transaction + ?Sized>(
    rows: &mut X,
    lease: &Lease,
) -> Done<Option<(Job, Option<Wish>)>, X> {
    let statement = Statement::of(X::Engine::HELD_JOB)
        .bind(lease.job.as_str())
        .bind(lease.token.as_str());
    match rows.rows(statement).await?.first() {
        Some(row) => Ok(Some((read_job(row)?.job, read_wish(row)?))),
        None => Ok(None),
    }
}

/// A new job.
pub(super) async fn insert<X: Transaction + ?Sized>(rows: &mut X, job: &Job) -> Done<StoredJob, X> {
    let statement = Statement::of(X::Engine::INSERT_JOB).bind_job(job)?;
    given::<_, X>(first_job(rows, statement).await?)
}

/// Replaces a job that nobody runs and that is still of this version.
pub(super) async fn replace<X: Transaction + ?Sized>(
    rows: &mut X,
    seen: Version,
    job: &Job,
) -> Done<Option<StoredJob>, X> {
    let statement = Statement::of(REPLACE).bind_job(job)?;
    first_job(rows, statement.bind(number_column(seen.0))).await
}

/// Replaces a job whose lease is still held, and ends the lease.
pub(super) async fn replace_held<X: Transaction + ?Sized>(
    rows: &mut X,
    lease: &Lease,
    job: &Job,
) -> Done<Option<StoredJob>, X> {
    let statement = Statement::of(REPLACE_HELD).bind_job(job)?;
    first_job(rows, statement.bind(lease.token.as_str())).await
}

/// What a job delivered.
pub(super) async fn write_report<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &JobId,
    report: Bytes,
) -> Done<(), X> {
    let statement = Statement::of(WRITE_REPORT)
        .bind(id.as_str())
        .bind(report.to_vec());
    rows.rows(statement).await.map(drop)
}

/// The downloads of a job, and nothing else of it.
pub(super) async fn write_downloads<X: Transaction + ?Sized>(
    rows: &mut X,
    job: &Job,
) -> Done<(), X> {
    let statement = Statement::of(WRITE_DOWNLOADS)
        .bind(serde_json::to_string(&job.downloads)?)
        .bind(number_column(job.downloads_total))
        .bind(job.id.as_str());
    rows.rows(statement).await.map(drop)
}

/// The orders of a person's own that are under way and not given up, oldest first.
pub(super) async fn under_way<X: Transaction + ?Sized>(
    rows: &mut X,
    owner: &UserId,
) -> Done<Vec<StoredJob>, X> {
    let statement = Statement::of(UNDER_WAY).bind(owner.as_str());
    Ok(read_jobs(&rows.rows(statement).await?)?)
}

/// What there is of one person and of all together. Jobs of campaigns do not count.
pub(super) async fn standing<X: Transaction + ?Sized>(
    rows: &mut X,
    owner: &UserId,
    now: Timestamp,
) -> Done<Standing, X> {
    let of_owner = |sql| Statement::of(sql).bind(owner.as_str());
    let counts = rows.rows(of_owner(STANDING)).await?;
    let orders = of_owner(ORDERS_SINCE).bind(before(now, Shares::DAY));
    let orders = rows.rows(orders).await?;
    let archives = of_owner(ARCHIVES).bind(to_column(now));
    let archives = rows.rows(archives).await?;
    let counts = given::<_, X>(counts.first())?;
    Ok(read_person_standing(counts, &orders, &archives)?)
}

/// Failed jobs of a campaign after this one, to be changed: so many in the order of their ids.
pub(super) async fn failed_of<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &CampaignId,
    after: Option<&JobId>,
    limit: usize,
) -> Done<Vec<StoredJob>, X> {
    let statement = Statement::of(X::Engine::FAILED_TO_CHANGE)
        .bind(campaign.as_str())
        .bind(after.map(JobId::as_str))
        .bind(count_column(limit));
    Ok(read_jobs(&rows.rows(statement).await?)?)
}

/// The slots of a job are free.
pub(super) async fn free_slots<X: Transaction + ?Sized>(rows: &mut X, job: &JobId) -> Done<(), X> {
    for sql in X::Engine::FREE_SLOTS {
        rows.rows(Statement::of(sql).bind(job.as_str())).await?;
    }
    Ok(())
}

/// Nobody asks any more how far the runs of a job are.
pub(super) async fn delete_progress<X: Transaction + ?Sized>(
    rows: &mut X,
    job: &JobId,
) -> Done<(), X> {
    if let Some(sql) = X::Engine::DELETE_PROGRESS {
        rows.rows(Statement::of(sql).bind(job.as_str())).await?;
    }
    Ok(())
}

/// Deletes what is sealed for a job. Gives whether there was something.
pub(super) async fn delete_credentials<X: Transaction + ?Sized>(
    rows: &mut X,
    job: &JobId,
) -> Done<bool, X> {
    let statement = Statement::of(DELETE_CREDENTIALS).bind(job.as_str());
    Ok(!rows.rows(statement).await?.is_empty())
}

/// Deletes what is sealed for a campaign's administrator, unless a job of it is unfinished. Gives whether there was something.
pub(super) async fn delete_administrators<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &CampaignId,
) -> Done<bool, X> {
    let statement = Statement::of(X::Engine::DELETE_ADMINISTRATORS).bind(campaign.as_str());
    Ok(!rows.rows(statement).await?.is_empty())
}

/// A new campaign, with one queued job for each of these people. `None` where it is there already.
pub(super) async fn insert_campaign<X: Transaction + ?Sized>(
    rows: &mut X,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
    now: Timestamp,
) -> Done<Option<Campaign>, X> {
    let by = campaign.requested_by.as_str();
    let statement = Statement::of(INSERT_CAMPAIGN)
        .bind(campaign.id.as_str())
        .bind(by)
        .bind(to_column(now))
        .bind(serde_json::to_string(&campaign.order)?)
        .bind(count_column(people.len()));
    let created = rows.rows(statement).await?;
    let Some(created) = created.first().map(read_campaign).transpose()? else {
        return Ok(None);
    };
    let pairs = people.iter().map(|(id, user)| [id.as_str(), user.as_str()]);
    let statement = Statement::of(X::Engine::INSERT_JOBS)
        .bind(serde_json::to_string(&pairs.collect::<Vec<_>>())?)
        .bind(serde_json::to_string(&campaign.order.request)?)
        .bind(to_column(now))
        .bind(campaign.id.as_str())
        .bind(by);
    rows.rows(statement).await?;
    Ok(Some(created))
}

/// A campaign, to be changed.
pub(super) async fn campaign<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
) -> Done<Option<Campaign>, X> {
    let statement = Statement::of(X::Engine::CAMPAIGN_TO_CHANGE).bind(id.as_str());
    let found = rows.rows(statement).await?;
    Ok(found.first().map(read_campaign).transpose()?)
}

/// Where the jobs of a campaign are.
pub(super) async fn campaign_standing<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    now: Timestamp,
) -> Done<CampaignStanding, X> {
    let statement = Statement::of(CAMPAIGN_STANDING)
        .bind(id.as_str())
        .bind(to_column(now));
    Ok(read_standing(&rows.rows(statement).await?)?)
}

/// What was decided of a campaign.
pub(super) async fn write_state<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    state: CampaignState,
) -> Done<Campaign, X> {
    let statement = Statement::of(WRITE_CAMPAIGN_STATE)
        .bind(id.as_str())
        .bind(state.name());
    let written = rows.rows(statement).await?;
    Ok(read_campaign(given::<_, X>(written.first())?)?)
}

/// Cancels those jobs of a campaign that never began.
pub(super) async fn cancel_unbegun<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    now: Timestamp,
) -> Done<Vec<JobId>, X> {
    let statement = Statement::of(X::Engine::CANCEL_UNBEGUN)
        .bind(id.as_str())
        .bind(to_column(now));
    Ok(read_ids(&rows.rows(statement).await?)?)
}

/// Those jobs of a campaign that are unfinished are to be given up. Gives them with their owners.
pub(super) async fn wish_cancelled<X: Transaction + ?Sized>(
    rows: &mut X,
    id: &CampaignId,
    by: &UserId,
) -> Done<Vec<(JobId, UserId)>, X> {
    let statement = Statement::of(X::Engine::WISH_CANCELLED)
        .bind(id.as_str())
        .bind(by.as_str());
    Ok(read_owned(&rows.rows(statement).await?)?)
}

/// An entry in the audit trail for each of these jobs. The last write of a step: others that write entries wait for its end.
pub(super) async fn record<'j, X: Transaction + ?Sized>(
    rows: &mut X,
    jobs: impl Iterator<Item = &'j JobId>,
    action: AuditAction,
    by: &UserId,
    now: Timestamp,
) -> Done<(), X> {
    let ids: Vec<&str> = jobs.map(JobId::as_str).collect();
    let statement = Statement::of(X::Engine::INSERT_ENTRIES)
        .bind(serde_json::to_string(&ids)?)
        .bind(to_column(now))
        .bind(action.name())
        .bind(by.as_str());
    rows.rows(statement).await.map(drop)
}
