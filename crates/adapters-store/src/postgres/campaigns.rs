//! Campaigns in PostgreSQL, with the jobs that they consist of.

use async_trait::async_trait;
use domain::jobs::{
    AuditAction, Campaign, CampaignId, CampaignPhase, CampaignStanding, CampaignState,
    CampaignStore, CampaignStoreError, Change, JobId, JobStoreError, StoredJob,
};
use domain::model::UserId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use super::database::PostgresDatabase;
use super::error::Failure;
use super::jobs::PostgresJobStore;
use super::rows::{Statement, read_id};
use super::steps::{forget_administrator, retry_failed};
use crate::campaigns::{read_campaign_columns, read_count_columns, standing_of};
use crate::columns::RowError;
use crate::moments::to_column;

const INSERT: &str = "INSERT INTO campaigns (id, requested_by, requested, ordered, state, total) \
    VALUES ($1, $2, $3, $4, 'running', $5) ON CONFLICT DO NOTHING RETURNING *";

/// One queued job for each person. What is ordered is the same but for the person.
const INSERT_JOBS: &str = "INSERT INTO jobs (id, owner, request, requested, state, campaign, ordered_by) \
    SELECT id, person, ($3::jsonb || jsonb_build_object('user', person))::text, $4, 'queued', $5, $6 \
    FROM unnest($1::text[], $2::text[]) AS given (id, person)";

/// In the audit trail, which is without gaps: what these jobs have in common.
const INSERT_ENTRIES: &str = "WITH about AS (SELECT id, owner, row_number() OVER (ORDER BY id) AS place FROM jobs WHERE id = ANY($1)), \
    next AS (UPDATE audit_numbers SET last = last + (SELECT count(*) FROM about) RETURNING last) \
    INSERT INTO audit (number, at, action, actor, subject, export) \
    SELECT next.last - (SELECT count(*) FROM about) + place, $2, $3, $4, owner, id FROM about, next ORDER BY place";

const GET: &str = "SELECT * FROM campaigns WHERE id = $1";

/// What is decided of a campaign is decided one after the other.
const LOCK: &str = "SELECT * FROM campaigns WHERE id = $1 FOR UPDATE";

const LIST: &str = "SELECT * FROM campaigns \
    WHERE ($1::text IS NULL OR (requested, id) < (SELECT requested, id FROM campaigns WHERE id = $1)) \
    ORDER BY requested DESC, id DESC LIMIT $2";

const STANDING: &str = "SELECT CASE WHEN state = 'ready' AND expires_at <= coalesce($2, uforge_export_now()) THEN 'expired' ELSE state END \
    AS name, count(*) AS jobs, min(began) AS first_began FROM jobs WHERE campaign = $1 GROUP BY name";

const EXPORTS: &str =
    "SELECT * FROM jobs WHERE campaign = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3";

const DECIDE: &str = "UPDATE campaigns SET state = $2 WHERE id = $1 RETURNING *";

/// Rows are locked in the order of all that locks many.
const CANCEL_UNBEGUN: &str = "WITH held AS (SELECT id FROM jobs WHERE campaign = $1 AND state = 'queued' AND began IS NULL \
        ORDER BY id FOR UPDATE) \
    UPDATE jobs SET state = 'cancelled', ended_at = $2, version = version + 1, wish = NULL FROM held WHERE jobs.id = held.id \
    RETURNING jobs.id";

const WISH_CANCELLED: &str = "WITH held AS (SELECT id FROM jobs WHERE campaign = $1 AND state IN ('queued', 'running', 'waiting') \
        ORDER BY id FOR UPDATE) \
    UPDATE jobs SET wish = 'cancel', wished_by = $2, version = version + (CASE state WHEN 'running' THEN 0 ELSE 1 END), \
        state = CASE state WHEN 'running' THEN 'running' ELSE 'queued' END, waiting_for = NULL, retry_at = NULL, give_up_at = NULL \
    FROM held WHERE jobs.id = held.id RETURNING jobs.id, jobs.owner";

const UNFINISHED: &str = "SELECT id, requested_by FROM campaigns AS campaign WHERE EXISTS (SELECT 1 FROM jobs \
    WHERE jobs.campaign = campaign.id AND jobs.state IN ('queued', 'running', 'waiting'))";

fn unknown(id: &CampaignId) -> CampaignStoreError {
    CampaignStoreError::Unknown { id: id.clone() }
}

fn of_failure(failure: impl Into<Failure>) -> CampaignStoreError {
    JobStoreError::from(failure.into()).into()
}

fn read_campaign(row: &PgRow) -> Result<Campaign, RowError> {
    read_campaign_columns!(row)
}

fn read_named(row: &PgRow, owner: &str) -> Result<(JobId, UserId), RowError> {
    Ok((read_id(row, "id")?, UserId::parse(row.try_get(owner)?)?))
}

/// A campaign that is new, with its jobs and their entries in the audit trail; `None` where it is there already.
async fn insert(
    connection: &mut PgConnection,
    campaign: &Campaign,
    people: &[(JobId, UserId)],
    now: i64,
) -> Result<Option<Campaign>, Failure> {
    let by = campaign.requested_by.as_str();
    let row = sqlx::query(INSERT)
        .bind(campaign.id.as_str())
        .bind(by)
        .bind(now)
        .bind(serde_json::to_string(&campaign.order)?)
        .bind(i64::try_from(people.len()).unwrap_or(i64::MAX))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let ids: Vec<&str> = people.iter().map(|person| person.0.as_str()).collect();
    let users: Vec<&str> = people.iter().map(|person| person.1.as_str()).collect();
    sqlx::query(INSERT_JOBS)
        .bind(&ids)
        .bind(users)
        .bind(serde_json::to_string(&campaign.order.request)?)
        .bind(now)
        .bind(campaign.id.as_str())
        .bind(by)
        .execute(&mut *connection)
        .await?;
    record(connection, &ids, AuditAction::ExportRequested, by, now).await?;
    Ok(Some(read_campaign(&row)?))
}

/// One entry for each of these jobs.
async fn record(
    connection: &mut PgConnection,
    ids: &[&str],
    action: AuditAction,
    actor: &str,
    now: i64,
) -> Result<(), Failure> {
    sqlx::query(INSERT_ENTRIES)
        .bind(ids)
        .bind(now)
        .bind(action.name())
        .bind(actor)
        .execute(connection)
        .await?;
    Ok(())
}

async fn standing(
    connection: &mut PgConnection,
    id: &CampaignId,
    given: Option<i64>,
) -> Result<CampaignStanding, Failure> {
    let rows = sqlx::query(STANDING).bind(id.as_str()).bind(given);
    let rows = rows.fetch_all(connection).await?;
    let counts = rows.iter().map(|row| read_count_columns!(row));
    Ok(standing_of(counts.collect::<Result<_, RowError>>()?)?)
}

/// What was decided of a campaign, one decision after the other; the inner error where it is over.
async fn decide(
    connection: &mut PgConnection,
    id: &CampaignId,
    state: CampaignState,
    given: Option<i64>,
) -> Result<Result<Campaign, CampaignStoreError>, Failure> {
    let row = sqlx::query(LOCK).bind(id.as_str());
    let Some(row) = row.fetch_optional(&mut *connection).await? else {
        return Ok(Err(unknown(id)));
    };
    let phase = read_campaign(&row)?.phase(&standing(connection, id, given).await?);
    if matches!(phase, CampaignPhase::Done | CampaignPhase::Cancelled) {
        return Ok(Err(CampaignStoreError::Over { id: id.clone() }));
    }
    let row = sqlx::query(DECIDE).bind(id.as_str()).bind(state.name());
    Ok(Ok(read_campaign(&row.fetch_one(connection).await?)?))
}

/// Gives the jobs that are still to be given up.
async fn give_up(
    connection: &mut PgConnection,
    id: &CampaignId,
    by: &UserId,
    given: Option<i64>,
) -> Result<Result<Vec<(JobId, UserId)>, CampaignStoreError>, Failure> {
    match decide(connection, id, CampaignState::Cancelled, given).await? {
        Ok(_) => {}
        Err(CampaignStoreError::Over { .. }) => return Ok(Ok(Vec::new())),
        Err(error) => return Ok(Err(error)),
    }
    let now = to_column(PostgresDatabase::now_in(given, connection).await?);
    let unbegun = sqlx::query(CANCEL_UNBEGUN).bind(id.as_str()).bind(now);
    let unbegun = unbegun.fetch_all(&mut *connection).await?;
    let cancelled = unbegun.iter().map(|row| row.try_get("id"));
    let cancelled: Vec<&str> = cancelled.collect::<Result<_, sqlx::Error>>()?;
    let begun = sqlx::query(WISH_CANCELLED)
        .bind(id.as_str())
        .bind(by.as_str());
    let begun = begun.fetch_all(&mut *connection).await?;
    // Last: whoever writes an entry waits for it.
    let action = AuditAction::ExportCancelled;
    record(connection, &cancelled, action, by.as_str(), now).await?;
    forget_administrator(connection, id).await?;
    let begun = begun.iter().map(|row| read_named(row, "owner"));
    Ok(Ok(begun.collect::<Result<_, _>>()?))
}

/// Queues failed jobs again and gives how many; the inner error where nothing of the campaign is to go on.
async fn try_again(
    connection: &mut PgConnection,
    id: &CampaignId,
    by: &UserId,
    given: Option<i64>,
) -> Result<Result<u64, CampaignStoreError>, Failure> {
    let row = sqlx::query(LOCK).bind(id.as_str());
    let Some(row) = row.fetch_optional(&mut *connection).await? else {
        return Ok(Err(unknown(id)));
    };
    if read_campaign(&row)?.state == CampaignState::Cancelled {
        return Ok(Err(CampaignStoreError::Over { id: id.clone() }));
    }
    let now = PostgresDatabase::now_in(given, connection).await?;
    let retried = retry_failed(connection, id, now).await?;
    let ids: Vec<&str> = retried.iter().map(JobId::as_str).collect();
    let action = AuditAction::ExportRetried;
    record(connection, &ids, action, by.as_str(), to_column(now)).await?;
    Ok(Ok(retried.len() as u64))
}

impl PostgresJobStore {
    async fn decided(
        &self,
        id: &CampaignId,
        state: CampaignState,
    ) -> Result<Campaign, CampaignStoreError> {
        let (id, given) = (id.clone(), self.database.given_now());
        let decided = self.write(move |connection| {
            Box::pin(async move { decide(connection, &id, state, given).await })
        });
        let campaign = decided.await??;
        self.signal().await;
        Ok(campaign)
    }

    /// Whoever claims, in whatever process, looks at once.
    async fn signal(&self) {
        let (signals, pool) = (&self.database.signals, &self.database.pool);
        signals.notify_now(Change::Resync, pool).await;
    }

    async fn campaigns(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<Campaign>, CampaignStoreError> {
        let rows = self.rows(statement).await?;
        let campaigns = rows.iter().map(read_campaign).collect::<Result<_, _>>();
        campaigns.map_err(of_failure)
    }
}

#[async_trait]
impl CampaignStore for PostgresJobStore {
    async fn create(
        &self,
        campaign: Campaign,
        jobs: Vec<(JobId, UserId)>,
    ) -> Result<Campaign, CampaignStoreError> {
        let given = self.database.given_now();
        let id = campaign.id.clone();
        let created = self.write(move |connection| {
            Box::pin(async move {
                let now = to_column(PostgresDatabase::now_in(given, connection).await?);
                insert(connection, &campaign, &jobs, now).await
            })
        });
        match created.await? {
            Some(campaign) => {
                self.signal().await;
                Ok(campaign)
            }
            None => CampaignStore::get(self, &id).await,
        }
    }

    async fn get(&self, id: &CampaignId) -> Result<Campaign, CampaignStoreError> {
        let found = self.campaigns(sqlx::query(GET).bind(id.as_str())).await?;
        found.into_iter().next().ok_or_else(|| unknown(id))
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
        self.campaigns(statement).await
    }

    async fn standing(&self, id: &CampaignId) -> Result<CampaignStanding, CampaignStoreError> {
        CampaignStore::get(self, id).await?;
        let given = self.database.given_now();
        let mut connection = self.database.pool.acquire().await.map_err(of_failure)?;
        let standing = standing(&mut connection, id, given).await;
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
        let (id, by, given) = (id.clone(), by.clone(), self.database.given_now());
        let given_up = self.write(move |connection| {
            Box::pin(async move { give_up(connection, &id, &by, given).await })
        });
        let begun = given_up.await??;
        self.signal().await;
        Ok(begun)
    }

    async fn retry(&self, id: &CampaignId, by: &UserId) -> Result<u64, CampaignStoreError> {
        let (id, by, given) = (id.clone(), by.clone(), self.database.given_now());
        let retried = self.write(move |connection| {
            Box::pin(async move { try_again(connection, &id, &by, given).await })
        });
        let retried = retried.await??;
        self.signal().await;
        Ok(retried)
    }

    async fn unfinished(&self) -> Result<Vec<(CampaignId, UserId)>, CampaignStoreError> {
        let rows = self.rows(sqlx::query(UNFINISHED)).await?;
        let named = rows.iter().map(|row| {
            let (id, by) = read_named(row, "requested_by")?;
            Ok((id.into(), by))
        });
        let found = named.collect::<Result<_, RowError>>();
        found.map_err(of_failure)
    }
}
