//! Idempotency keys in the tables of any engine.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{IdempotencyError, IdempotencyKey, IdempotencyKeys, JobId, Reservation};
use domain::model::{Sha256, UserId};
use jiff::Timestamp;

use crate::database::SqlDatabase;
use crate::failure::port_error;
use crate::moments::{before, to_column};
use crate::rows::{Columns as _, read_id};
use crate::statement::Statement;

/// A key stands for its export for so long.
const KEPT: Duration = Duration::from_hours(24);

/// A key that is too old is new again. Whoever is second waits for the first and then finds what it wrote.
const RESERVE: &str = "INSERT INTO idempotency_keys AS kept (owner, key, request, export, reserved) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (owner, key) DO UPDATE SET request = excluded.request, export = excluded.export, reserved = excluded.reserved \
        WHERE kept.reserved <= $6 \
    RETURNING export";

const RESERVED: &str = "SELECT request, export FROM idempotency_keys WHERE owner = $1 AND key = $2";

const RELEASE: &str = "DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2";

const EXPIRE: &str = "DELETE FROM idempotency_keys WHERE reserved <= $1 RETURNING key";

/// The idempotency keys in the tables of an engine.
pub struct SqlKeys<D> {
    database: D,
}

impl<D: Clone> SqlKeys<D> {
    /// The keys of this database.
    pub fn new(database: &D) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

async fn now<D: SqlDatabase>(database: &D) -> Result<Timestamp, IdempotencyError> {
    database
        .now()
        .await
        .map_err(port_error::<D::Engine, IdempotencyError>)
}

async fn write<D: SqlDatabase>(
    database: &D,
    statement: Statement,
) -> Result<Vec<D::Row>, IdempotencyError> {
    let rows = database.write(statement).await;
    rows.map_err(port_error::<D::Engine, IdempotencyError>)
}

#[async_trait]
impl<D: SqlDatabase> IdempotencyKeys for SqlKeys<D> {
    async fn reserve(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, IdempotencyError> {
        let order = order.to_string();
        loop {
            let now = now(&self.database).await?;
            let statement = Statement::of(RESERVE)
                .bind(owner.as_str())
                .bind(key.as_str())
                .bind(order.as_str())
                .bind(export.as_str())
                .bind(to_column(now))
                .bind(before(now, KEPT));
            if !write(&self.database, statement).await?.is_empty() {
                return Ok(Reservation::New);
            }
            let statement = Statement::of(RESERVED).bind(owner.as_str());
            let known = self.database.read(statement.bind(key.as_str())).await;
            let known = known.map_err(port_error::<D::Engine, IdempotencyError>)?;
            // Otherwise it was given back a moment ago.
            if let Some(row) = known.first() {
                let known = row.text("request").map_err(IdempotencyError::Unavailable)?;
                let export = read_id(row, "export").map_err(IdempotencyError::Unavailable)?;
                return Ok(if known == order {
                    Reservation::Same(export)
                } else {
                    Reservation::OtherOrder
                });
            }
        }
    }

    async fn release(&self, owner: &UserId, key: &IdempotencyKey) -> Result<(), IdempotencyError> {
        let statement = Statement::of(RELEASE).bind(owner.as_str());
        write(&self.database, statement.bind(key.as_str()))
            .await
            .map(drop)
    }

    async fn expire(&self) -> Result<u64, IdempotencyError> {
        let end = before(now(&self.database).await?, KEPT);
        let expired = write(&self.database, Statement::of(EXPIRE).bind(end)).await?;
        Ok(expired.len() as u64)
    }
}
