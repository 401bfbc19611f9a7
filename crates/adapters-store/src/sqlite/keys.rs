//! Idempotency keys in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{IdempotencyError, IdempotencyKey, IdempotencyKeys, JobId, Reservation};
use domain::model::{Sha256, UserId};
use jiff::Timestamp;
use sqlx::{Row as _, Sqlite, SqliteConnection};

use super::database::Database;
use crate::moments::{before, to_column};
use crate::rows::read_id;

/// A key stands for its export for so long.
const KEPT: Duration = Duration::from_hours(24);

type Failure = crate::failure::Failure<Sqlite, IdempotencyError>;

/// The idempotency keys of a [`Database`].
pub struct SqliteKeys {
    database: Database,
}

impl SqliteKeys {
    /// The keys of this database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

/// What is to be reserved.
struct Wanted {
    owner: String,
    key: String,
    order: String,
    export: JobId,
    now: Timestamp,
}

async fn reserve(
    connection: &mut SqliteConnection,
    wanted: Wanted,
) -> Result<Reservation, Failure> {
    let known = sqlx::query(
        "SELECT request, export FROM idempotency_keys WHERE owner = ? AND key = ? AND reserved > ?",
    )
    .bind(&wanted.owner)
    .bind(&wanted.key)
    .bind(before(wanted.now, KEPT))
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = known {
        let order: String = row.try_get("request")?;
        return if order == wanted.order {
            Ok(Reservation::Same(read_id(&row, "export")?))
        } else {
            Ok(Reservation::OtherOrder)
        };
    }
    sqlx::query("INSERT OR REPLACE INTO idempotency_keys (owner, key, request, export, reserved) VALUES (?, ?, ?, ?, ?)")
        .bind(&wanted.owner)
        .bind(&wanted.key)
        .bind(&wanted.order)
        .bind(wanted.export.as_str())
        .bind(to_column(wanted.now))
        .execute(connection)
        .await?;
    Ok(Reservation::New)
}

#[async_trait]
impl IdempotencyKeys for SqliteKeys {
    async fn reserve(
        &self,
        owner: &UserId,
        key: &IdempotencyKey,
        order: &Sha256,
        export: &JobId,
    ) -> Result<Reservation, IdempotencyError> {
        let wanted = Wanted {
            owner: owner.to_string(),
            key: key.as_str().to_owned(),
            order: order.to_string(),
            export: export.clone(),
            now: self.database.now(),
        };
        let reserved = self.database.writer.transaction(move |connection| {
            Box::pin(async move { reserve(connection, wanted).await })
        });
        Ok(reserved.await?)
    }

    async fn release(&self, owner: &UserId, key: &IdempotencyKey) -> Result<(), IdempotencyError> {
        let (owner, key) = (owner.to_string(), key.as_str().to_owned());
        let released = self.database.writer.run(move |connection| {
            Box::pin(async move {
                let statement =
                    sqlx::query("DELETE FROM idempotency_keys WHERE owner = ? AND key = ?");
                let statement = statement.bind(owner).bind(key);
                statement.execute(connection).await?;
                Ok::<_, Failure>(())
            })
        });
        Ok(released.await?)
    }

    async fn expire(&self) -> Result<u64, IdempotencyError> {
        let end = before(self.database.now(), KEPT);
        let expired = self.database.writer.run(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query("DELETE FROM idempotency_keys WHERE reserved <= ?");
                let deleted = statement.bind(end).execute(connection).await?;
                Ok::<_, Failure>(deleted.rows_affected())
            })
        });
        Ok(expired.await?)
    }
}
