//! Idempotency keys in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{IdempotencyError, IdempotencyKey, IdempotencyKeys, JobId, Reservation};
use domain::model::{Sha256, UserId};
use sqlx::{Postgres, Row as _};

use super::database::{PostgresDatabase, nanoseconds};
use super::statements::now;
use crate::rows::read_id;

/// A key stands for its export for so long.
const KEPT: Duration = Duration::from_hours(24);

/// A key that is too old is new again. Whoever is second waits for the first and then finds what it wrote.
const RESERVE: &str = concat!(
    now!(),
    "one AS (SELECT 1) INSERT INTO idempotency_keys AS kept (owner, key, request, export, reserved) \
        SELECT $3, $4, $5, $6, now FROM clock \
    ON CONFLICT (owner, key) DO UPDATE SET request = excluded.request, export = excluded.export, reserved = excluded.reserved \
        WHERE kept.reserved <= excluded.reserved - $2 \
    RETURNING export"
);

const EXPIRE: &str = concat!(
    now!(),
    "one AS (SELECT 1) DELETE FROM idempotency_keys WHERE reserved <= (SELECT now FROM clock) - $2"
);

type Failure = crate::failure::Failure<Postgres, IdempotencyError>;

/// The idempotency keys of a [`PostgresDatabase`].
pub struct PostgresKeys {
    database: PostgresDatabase,
}

impl PostgresKeys {
    /// The keys of this database.
    pub fn new(database: &PostgresDatabase) -> Self {
        Self {
            database: database.clone(),
        }
    }

    async fn reserved(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, Failure> {
        loop {
            let reserved = sqlx::query(RESERVE)
                .bind(self.database.given_now())
                .bind(nanoseconds(KEPT))
                .bind(owner.to_string())
                .bind(key.as_str())
                .bind(order.to_string())
                .bind(export.as_str())
                .fetch_optional(&self.database.pool)
                .await?;
            if reserved.is_some() {
                return Ok(Reservation::New);
            }
            let known = sqlx::query(
                "SELECT request, export FROM idempotency_keys WHERE owner = $1 AND key = $2",
            )
            .bind(owner.to_string())
            .bind(key.as_str())
            .fetch_optional(&self.database.pool)
            .await?;
            // Otherwise it was given back a moment ago.
            if let Some(row) = known {
                let known: String = row.try_get("request")?;
                return if known == order.to_string() {
                    Ok(Reservation::Same(read_id(&row, "export")?))
                } else {
                    Ok(Reservation::OtherOrder)
                };
            }
        }
    }
}

#[async_trait]
impl IdempotencyKeys for PostgresKeys {
    async fn reserve(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, IdempotencyError> {
        Ok(self.reserved(owner, key, order, export).await?)
    }

    async fn release(&self, owner: &UserId, key: &IdempotencyKey) -> Result<(), IdempotencyError> {
        let statement = sqlx::query("DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2");
        let statement = statement.bind(owner.to_string()).bind(key.as_str());
        let released = statement.execute(&self.database.pool).await;
        released.map_err(Failure::from)?;
        Ok(())
    }

    async fn expire(&self) -> Result<u64, IdempotencyError> {
        let statement = sqlx::query(EXPIRE)
            .bind(self.database.given_now())
            .bind(nanoseconds(KEPT));
        let expired = statement.execute(&self.database.pool).await;
        Ok(expired.map_err(Failure::from)?.rows_affected())
    }
}
