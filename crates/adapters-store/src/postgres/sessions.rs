//! Sessions in PostgreSQL: who signed in with the form, for every process that serves pages.

use std::time::Duration;

use bytes::Bytes;
use sqlx::Row as _;

use super::database::{PostgresDatabase, nanoseconds};
use super::error::PostgresError;
use super::statements::now;
use crate::columns::number_column;

/// How long sessions last, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct SessionTerms {
    /// One that nobody uses ends after so long.
    pub idle_for: Duration,
    /// One ends after so long, whoever uses it.
    pub at_most: Duration,
    /// Those of one person at the same time; with a further one their least used one ends.
    pub per_person: u64,
}

/// The sessions of a [`PostgresDatabase`]. What somebody signed in with is kept as it comes: sealed by whoever gives it.
pub struct PostgresSessions {
    database: PostgresDatabase,
    terms: SessionTerms,
}

const BEGIN: &str = concat!(
    now!(),
    "surplus AS (DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE owner = $3 ORDER BY used DESC OFFSET $5)), \
    over AS (DELETE FROM sessions USING clock WHERE used <= now - $6) \
    INSERT INTO sessions (key, owner, sealed, begun, used) SELECT $2, $3, $4, now, now FROM clock"
);

const FIND: &str = concat!(
    now!(),
    "one AS (SELECT 1) UPDATE sessions SET used = now FROM clock \
    WHERE key = $2 AND used > now - $3 AND begun > now - $4 RETURNING owner, sealed"
);

const END: &str = concat!(
    now!(),
    "one AS (SELECT 1) DELETE FROM sessions USING clock WHERE key = $2 \
    RETURNING owner, sealed, used > now - $3 AND begun > now - $4 AS lasted"
);

impl PostgresSessions {
    /// The sessions of this database.
    pub fn new(database: &PostgresDatabase, terms: SessionTerms) -> Self {
        Self {
            database: database.clone(),
            terms,
        }
    }

    /// Begins a session.
    pub async fn begin(
        &self,
        key: &[u8; 32],
        owner: &str,
        sealed: Bytes,
    ) -> Result<(), PostgresError> {
        sqlx::query(BEGIN)
            .bind(self.database.given_now())
            .bind(&key[..])
            .bind(owner)
            .bind(sealed.to_vec())
            .bind(number_column(self.terms.per_person.saturating_sub(1)))
            .bind(nanoseconds(self.terms.idle_for))
            .execute(&self.database.pool)
            .await
            .map_err(PostgresError::of("write sessions into"))?;
        Ok(())
    }

    /// Whose session this is and what they signed in with, unless it is over. This counts as a use.
    pub async fn find(&self, key: &[u8; 32]) -> Result<Option<(String, Bytes)>, PostgresError> {
        let row = sqlx::query(FIND)
            .bind(self.database.given_now())
            .bind(&key[..])
            .bind(nanoseconds(self.terms.idle_for))
            .bind(nanoseconds(self.terms.at_most))
            .fetch_optional(&self.database.pool)
            .await
            .map_err(PostgresError::of("read sessions from"))?;
        let read = row.map(|row| {
            let sealed: Vec<u8> = row.try_get("sealed")?;
            Ok((row.try_get("owner")?, Bytes::from(sealed)))
        });
        read.transpose()
            .map_err(PostgresError::of("read sessions from"))
    }

    /// Ends a session. Gives whose it was and what they signed in with, unless it was over.
    pub async fn end(&self, key: &[u8; 32]) -> Result<Option<(String, Bytes)>, PostgresError> {
        let row = sqlx::query(END)
            .bind(self.database.given_now())
            .bind(&key[..])
            .bind(nanoseconds(self.terms.idle_for))
            .bind(nanoseconds(self.terms.at_most))
            .fetch_optional(&self.database.pool)
            .await
            .map_err(PostgresError::of("end sessions in"))?;
        let read = row.map(|row| {
            let sealed: Vec<u8> = row.try_get("sealed")?;
            let lasted: bool = row.try_get("lasted")?;
            Ok(lasted.then_some((row.try_get("owner")?, Bytes::from(sealed))))
        });
        let read = read
            .transpose()
            .map_err(PostgresError::of("end sessions in"))?;
        Ok(read.flatten())
    }
}
