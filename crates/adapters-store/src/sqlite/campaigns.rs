//! Campaigns in SQLite, with the jobs that they consist of.

use async_trait::async_trait;
use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignPhase, CampaignStanding, CampaignState,
    CampaignStore, CampaignStoreError, JobId, JobStoreError, StoredJob,
};
use domain::model::UserId;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::error::Failure;
use super::jobs::SqliteJobStore;
use super::rows::{RowError, read_id};
use super::steps::retry_failed;
use crate::campaigns::{read_campaign_columns, read_count_columns, standing_of};
use crate::moments::to_column;

const INSERT: &str = "INSERT OR IGNORE INTO campaigns (id, requested_by, requested, ordered, state, total) \
    VALUES (?, ?, ?, ?, 'running', ?) RETURNING *";

/// One queued job for each person in a JSON list of pairs: id and login. What is ordered is the same but for the person.
const INSERT_JOBS: &str = "INSERT INTO jobs (id, owner, request, requested, state, campaign, ordered_by) \
    SELECT value ->> 0, value ->> 1, json_set(?2, '$.user', value ->> 1), ?3, 'queued', ?4, ?5 FROM json_each(?1)";

/// In the audit trail, which is without gaps: each job was asked for.
const INSERT_ENTRIES: &str = "INSERT INTO audit (number, at, action, actor, subject, export) \
    SELECT (SELECT coalesce(max(number), 0) FROM audit) + row_number() OVER (ORDER BY id), requested, ?2, ordered_by, owner, id \
    FROM jobs WHERE campaign = ?1 ORDER BY id";

const GET: &str = "SELECT * FROM campaigns WHERE id = ?";

const LIST: &str = "SELECT * FROM campaigns \
    WHERE (?1 IS NULL OR (requested, id) < (SELECT requested, id FROM campaigns WHERE id = ?1)) \
    ORDER BY requested DESC, id DESC LIMIT ?2";

const STANDING: &str = "SELECT CASE WHEN state = 'ready' AND expires_at <= ?2 THEN 'expired' ELSE state END AS name, \
    count(*) AS jobs, min(began) AS first_began FROM jobs WHERE campaign = ?1 GROUP BY name";

const EXPORTS: &str =
    "SELECT * FROM jobs WHERE campaign = ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3";

const DECIDE: &str = "UPDATE campaigns SET state = ?2 WHERE id = ?1 RETURNING *";

/// The same of jobs in a JSON list of ids: what was done to each of them now.
const INSERT_DONE: &str = "INSERT INTO audit (number, at, action, actor, subject, export) \
    SELECT (SELECT coalesce(max(number), 0) FROM audit) + row_number() OVER (ORDER BY id), ?4, ?2, ?3, owner, id \
    FROM jobs WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";

const CANCEL_UNBEGUN: &str = "UPDATE jobs SET state = 'cancelled', ended_at = ?2, version = version + 1, wish = NULL \
    WHERE campaign = ?1 AND state = 'queued' AND began IS NULL RETURNING id";

const WISH_CANCELLED: &str = "UPDATE jobs SET wish = 'cancel', wished_by = ?2, version = version + (state <> 'running'), \
    state = CASE state WHEN 'running' THEN 'running' ELSE 'queued' END, waiting_for = NULL, retry_at = NULL, give_up_at = NULL \
    WHERE campaign = ?1 AND state IN ('queued', 'running', 'waiting') RETURNING id, owner";

const UNFINISHED: &str = "SELECT id, requested_by FROM campaigns AS campaign WHERE EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_unfinished_of_campaign \
    WHERE jobs.campaign IS NOT NULL AND jobs.campaign = campaign.id AND jobs.state IN ('queued', 'running', 'waiting'))";

fn unknown(id: &CampaignId) -> CampaignStoreError {
    CampaignStoreError::Unknown { id: id.clone() }
}

fn of_failure(failure: impl Into<Failure>) -> CampaignStoreError {
    JobStoreError::from(failure.into()).into()
}

fn read_campaign(row: &SqliteRow) -> Result<Campaign, RowError> {
    read_campaign_columns!(row)
}

/// A campaign that is new, with its jobs and their entries in the audit trail; `None` where it is there already.
async fn insert(
    connection: &mut SqliteConnection,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
    now: Timestamp,
) -> Result<Option<Campaign>, Failure> {
    let row = sqlx::query(INSERT)
        .bind(campaign.id.as_str())
        .bind(campaign.requested_by.as_str())
        .bind(to_column(now))
        .bind(serde_json::to_string(&campaign.order)?)
        .bind(i64::try_from(people.len()).unwrap_or(i64::MAX))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let pairs: Vec<[&str; 2]> = people
        .iter()
        .map(|(id, user)| [id.as_str(), user.as_str()])
        .collect();
    sqlx::query(INSERT_JOBS)
        .bind(serde_json::to_string(&pairs)?)
        .bind(serde_json::to_string(&campaign.order.request)?)
        .bind(to_column(now))
        .bind(campaign.id.as_str())
        .bind(campaign.requested_by.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query(INSERT_ENTRIES)
        .bind(campaign.id.as_str())
        .bind(AuditAction::ExportRequested.name())
        .execute(&mut *connection)
        .await?;
    Ok(Some(read_campaign(&row)?))
}

async fn get(
    connection: &mut SqliteConnection,
    id: &CampaignId,
) -> Result<Option<Campaign>, Failure> {
    let row = sqlx::query(GET).bind(id.as_str());
    let row = row.fetch_optional(connection).await?;
    Ok(row.as_ref().map(read_campaign).transpose()?)
}

async fn standing(
    connection: &mut SqliteConnection,
    id: &CampaignId,
    now: Timestamp,
) -> Result<CampaignStanding, Failure> {
    let rows = sqlx::query(STANDING).bind(id.as_str()).bind(to_column(now));
    let rows = rows.fetch_all(connection).await?;
    let counts = rows.iter().map(|row| read_count_columns!(row));
    Ok(standing_of(counts.collect::<Result<_, RowError>>()?)?)
}

/// What was decided of a campaign; the inner error where it is over.
async fn decide(
    connection: &mut SqliteConnection,
    id: &CampaignId,
    state: CampaignState,
    now: Timestamp,
) -> Result<Result<Campaign, CampaignStoreError>, Failure> {
    let Some(campaign) = get(connection, id).await? else {
        return Ok(Err(unknown(id)));
    };
    let phase = campaign.phase(&standing(connection, id, now).await?);
    if matches!(phase, CampaignPhase::Done | CampaignPhase::Cancelled) {
        return Ok(Err(CampaignStoreError::Over { id: id.clone() }));
    }
    let row = sqlx::query(DECIDE).bind(id.as_str()).bind(state.name());
    let row = row.fetch_one(connection).await?;
    Ok(Ok(read_campaign(&row)?))
}

/// An entry for each of these jobs.
async fn record(
    connection: &mut SqliteConnection,
    jobs: &[JobId],
    action: AuditAction,
    by: &UserId,
    now: Timestamp,
) -> Result<(), Failure> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    sqlx::query(INSERT_DONE)
        .bind(serde_json::to_string(&ids)?)
        .bind(action.name())
        .bind(by.as_str())
        .bind(to_column(now))
        .execute(connection)
        .await?;
    Ok(())
}

/// Queues failed jobs again; the inner error where nothing of the campaign is to go on.
async fn try_again(
    connection: &mut SqliteConnection,
    id: &CampaignId,
    by: &UserId,
    now: Timestamp,
) -> Result<Result<Vec<JobId>, CampaignStoreError>, Failure> {
    match get(connection, id).await? {
        None => return Ok(Err(unknown(id))),
        Some(campaign) if campaign.state == CampaignState::Cancelled => {
            return Ok(Err(CampaignStoreError::Over { id: id.clone() }));
        }
        Some(_) => {}
    }
    let retried = retry_failed(connection, id, now).await?;
    let action = AuditAction::ExportRetried;
    record(connection, &retried, action, by, now).await?;
    Ok(Ok(retried))
}

/// Jobs that were cancelled at once, and those that are still to be given up.
type GivenUp = (Vec<JobId>, Vec<(JobId, UserId)>);

async fn give_up(
    connection: &mut SqliteConnection,
    id: &CampaignId,
    by: &UserId,
    now: Timestamp,
) -> Result<Result<GivenUp, CampaignStoreError>, Failure> {
    match decide(connection, id, CampaignState::Cancelled, now).await? {
        Ok(_) => {}
        Err(CampaignStoreError::Over { .. }) => return Ok(Ok(GivenUp::default())),
        Err(error) => return Ok(Err(error)),
    }
    let unbegun = sqlx::query(CANCEL_UNBEGUN)
        .bind(id.as_str())
        .bind(to_column(now));
    let unbegun = unbegun.fetch_all(&mut *connection).await?;
    let cancelled = unbegun.iter().map(|row| read_id(row, "id"));
    let cancelled = cancelled.collect::<Result<Vec<JobId>, _>>()?;
    record(
        connection,
        &cancelled,
        AuditAction::ExportCancelled,
        by,
        now,
    )
    .await?;
    let begun = sqlx::query(WISH_CANCELLED)
        .bind(id.as_str())
        .bind(by.as_str());
    let begun = begun.fetch_all(connection).await?;
    let named = |row: &SqliteRow| -> Result<(JobId, UserId), RowError> {
        Ok((read_id(row, "id")?, UserId::parse(row.try_get("owner")?)?))
    };
    Ok(Ok((
        cancelled,
        begun.iter().map(named).collect::<Result<_, _>>()?,
    )))
}

impl SqliteJobStore {
    async fn decided(
        &self,
        id: &CampaignId,
        state: CampaignState,
    ) -> Result<Campaign, CampaignStoreError> {
        let (id, now) = (id.clone(), self.database.now());
        self.write(move |connection| {
            Box::pin(async move { decide(connection, &id, state, now).await })
        })
        .await?
    }
}

#[async_trait]
impl CampaignStore for SqliteJobStore {
    async fn create(
        &self,
        campaign: Campaign,
        jobs: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError> {
        let now = self.database.now();
        let first = jobs.first().map(|job| job.0.clone());
        let id = campaign.id.clone();
        let created = self
            .write(move |connection| {
                Box::pin(async move { insert(connection, &campaign, &jobs, now).await })
            })
            .await?;
        match created {
            Some(campaign) => {
                // Whoever watches looks at all that can be claimed.
                if let Some(job) = &first {
                    self.notify(job);
                }
                Ok(campaign)
            }
            None => CampaignStore::get(self, &id).await,
        }
    }

    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let row = sqlx::query(GET).bind(id.as_str());
        let row = row.fetch_optional(&self.database.readers).await;
        let row = row.map_err(of_failure)?.ok_or_else(|| unknown(id))?;
        read_campaign(&row).map_err(of_failure)
    }

    async fn list(
        &self,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        if let Some(after) = &after {
            CampaignStore::get(self, after).await?;
        }
        let statement = sqlx::query(LIST)
            .bind(after.as_ref().map(CampaignId::as_str))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = statement.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(of_failure)?;
        let campaigns = rows.iter().map(read_campaign).collect::<Result<_, _>>();
        campaigns.map_err(of_failure)
    }

    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let mut connection = self.database.readers.acquire().await.map_err(of_failure)?;
        let standing = standing(&mut connection, id, self.database.now()).await;
        standing.map_err(of_failure)
    }

    async fn exports(
        &self,
        id: &CampaignId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let statement = sqlx::query(EXPORTS)
            .bind(id.as_str())
            .bind(after.as_ref().map(JobId::as_str))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(self.read(statement).await?)
    }

    async fn pause(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        self.decided(id, CampaignState::Paused).await
    }

    async fn resume(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        self.decided(id, CampaignState::Running).await
    }

    async fn cancel(
        &self,
        id: &CampaignId,
        by: &UserId,
    ) -> Result<Vec<(JobId, UserId)>, CampaignStoreError> {
        let (id, by, now) = (id.clone(), by.clone(), self.database.now());
        let given_up = self
            .write(move |connection| {
                Box::pin(async move { give_up(connection, &id, &by, now).await })
            })
            .await?;
        let (cancelled, begun) = given_up?;
        let begun_ids = begun.iter().map(|job| &job.0);
        for job in begun_ids.chain(&cancelled) {
            self.notify(job);
        }
        Ok(begun)
    }

    async fn retry(&self, id: &CampaignId, by: &UserId) -> Result<u64, CampaignStoreError> {
        let (id, by, now) = (id.clone(), by.clone(), self.database.now());
        let retried = self.write(move |connection| {
            Box::pin(async move { try_again(connection, &id, &by, now).await })
        });
        let retried = retried.await??;
        for job in &retried {
            self.notify(job);
        }
        Ok(retried.len() as u64)
    }

    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError> {
        let statement = sqlx::query(UNFINISHED);
        let rows = statement.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(of_failure)?;
        let read = |row: &SqliteRow| -> Result<(CampaignId, UserId), RowError> {
            let by: String = row.try_get("requested_by")?;
            Ok((read_id(row, "id")?.into(), UserId::parse(&by)?))
        };
        let found = rows.iter().map(read).collect::<Result<_, _>>();
        found.map_err(of_failure)
    }
}
