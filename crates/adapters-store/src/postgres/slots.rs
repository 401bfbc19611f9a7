//! The platform's slots in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{Lease, Slot, Slots, SlotsError};
use domain::model::ItemRef;
use sqlx::Row as _;

use super::database::{PostgresDatabase, nanoseconds};
use super::statements::now;

/// Whoever does not hold the job gets no row; whoever does, its slot or none. A job of a campaign gets none while one wants some that a
/// person asked for: that is recorded for as long as `$5`, since it asks again.
const TAKE: &str = concat!(
    now!("$4"),
    "held AS MATERIALIZED (SELECT id, campaign FROM jobs WHERE id = $1 AND token = $2 FOR SHARE), \
    own AS (SELECT number FROM slots WHERE job = $1 AND item = $3 AND EXISTS (SELECT 1 FROM held)), \
    free AS (SELECT number FROM slots WHERE job IS NULL AND NOT EXISTS (SELECT 1 FROM own) AND EXISTS (SELECT 1 FROM held) \
        AND ((SELECT campaign FROM held) IS NULL OR NOT EXISTS (SELECT 1 FROM slots_wanted WHERE until > (SELECT now FROM clock))) \
        ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED), \
    taken AS (UPDATE slots SET job = $1, item = $3 FROM free WHERE slots.number = free.number RETURNING slots.number), \
    got AS (SELECT number FROM own UNION ALL SELECT number FROM taken), \
    wanted AS (INSERT INTO slots_wanted (job, until) SELECT id, (SELECT now FROM clock) + $5 FROM held \
        WHERE campaign IS NULL AND NOT EXISTS (SELECT 1 FROM got) ON CONFLICT (job) DO UPDATE SET until = excluded.until), \
    served AS (DELETE FROM slots_wanted WHERE job = $1 AND EXISTS (SELECT 1 FROM taken)) \
    SELECT (SELECT number FROM got) AS number FROM held"
);

/// For so long a run that found no slot is thought to want one: it asks again sooner.
const WANTED_FOR: Duration = Duration::from_secs(10);

const GIVE_BACK: &str = "WITH held AS MATERIALIZED (SELECT id FROM jobs WHERE id = $1 AND token = $2 FOR SHARE), \
    freed AS (UPDATE slots SET job = NULL, item = NULL FROM held WHERE job = held.id AND item = $3) \
    SELECT id FROM held";

const TAKEN: &str = "SELECT count(*) AS taken FROM slots WHERE job IS NOT NULL";

/// The slots of a [`PostgresDatabase`].
pub struct PostgresSlots {
    database: PostgresDatabase,
}

fn unavailable(error: sqlx::Error) -> SlotsError {
    SlotsError::Unavailable(Box::new(error))
}

impl PostgresSlots {
    /// So many slots. Those that are there already stay; all processes want the same number.
    pub async fn open(database: &PostgresDatabase, slots: u32) -> Result<Self, SlotsError> {
        sqlx::query(
            "INSERT INTO slots (number) SELECT generate_series(1, $1) ON CONFLICT DO NOTHING",
        )
        .bind(i64::from(slots))
        .execute(&database.pool)
        .await
        .map_err(unavailable)?;
        sqlx::query("DELETE FROM slots WHERE number > $1 AND job IS NULL")
            .bind(i64::from(slots))
            .execute(&database.pool)
            .await
            .map_err(unavailable)?;
        Ok(Self {
            database: database.clone(),
        })
    }
}

#[async_trait]
impl Slots for PostgresSlots {
    async fn take(&self, lease: &Lease, item: &ItemRef) -> Result<Option<Slot>, SlotsError> {
        let row = sqlx::query(TAKE)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .bind(item.to_string())
            .bind(self.database.given_now())
            .bind(nanoseconds(WANTED_FOR))
            .fetch_optional(&self.database.pool)
            .await
            .map_err(unavailable)?;
        let Some(row) = row else {
            let id = lease.job.clone();
            return Err(SlotsError::Lost { id });
        };
        let number: Option<i64> = row.try_get("number").map_err(unavailable)?;
        let number = number.and_then(|number| u32::try_from(number).ok());
        Ok(number.map(Slot))
    }

    async fn give_back(&self, lease: &Lease, item: &ItemRef) -> Result<(), SlotsError> {
        let held = sqlx::query(GIVE_BACK)
            .bind(lease.job.as_str())
            .bind(lease.token.as_str())
            .bind(item.to_string())
            .fetch_optional(&self.database.pool)
            .await
            .map_err(unavailable)?;
        match held {
            Some(_) => Ok(()),
            None => Err(SlotsError::Lost {
                id: lease.job.clone(),
            }),
        }
    }

    async fn taken(&self) -> Result<usize, SlotsError> {
        let row = sqlx::query(TAKEN).fetch_one(&self.database.pool).await;
        let taken: i64 = row
            .and_then(|row| row.try_get("taken"))
            .map_err(unavailable)?;
        Ok(usize::try_from(taken).unwrap_or_default())
    }
}
