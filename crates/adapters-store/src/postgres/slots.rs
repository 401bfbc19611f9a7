//! The platform's slots in PostgreSQL.

use async_trait::async_trait;
use domain::jobs::{Lease, Slot, Slots, SlotsError};
use domain::model::ItemRef;
use sqlx::Row as _;

use super::database::PostgresDatabase;

/// Whoever does not hold the job gets no row; whoever does, its slot or none.
const TAKE: &str = "WITH held AS MATERIALIZED (SELECT id FROM jobs WHERE id = $1 AND token = $2 FOR SHARE), \
    own AS (SELECT number FROM slots WHERE job = $1 AND item = $3 AND EXISTS (SELECT 1 FROM held)), \
    free AS (SELECT number FROM slots WHERE job IS NULL AND NOT EXISTS (SELECT 1 FROM own) AND EXISTS (SELECT 1 FROM held) \
        ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED), \
    taken AS (UPDATE slots SET job = $1, item = $3 FROM free WHERE slots.number = free.number RETURNING slots.number) \
    SELECT coalesce((SELECT number FROM own), (SELECT number FROM taken)) AS number FROM held";

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
