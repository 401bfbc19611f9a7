//! Settings that all processes of one service share. The first process decides them; they hold as long as one process is alive.

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::{PgConnection, Row as _};

use super::database::{PostgresDatabase, nanoseconds};
use super::error::PostgresError;
use super::statements::now;

/// Of the lock under which processes agree one after the other.
const LOCK: i64 = 0x5546_4547;

/// What the shared secret is called.
const SECRET: &str = "secret";

const ALIVE: &str = concat!(
    now!(),
    "one AS (SELECT 1) INSERT INTO processes (name, runs, until) SELECT $2, $3, now + $4 FROM clock \
    ON CONFLICT (name) DO UPDATE SET until = excluded.until"
);

const DEAD: &str = concat!(
    now!(),
    "one AS (SELECT 1) DELETE FROM processes USING clock WHERE until <= now"
);

/// A process of the service.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its name, which no other process has.
    pub name: String,
    /// Whether it runs jobs.
    pub runs: bool,
    /// It counts as alive for so long after it said so.
    pub term: Duration,
}

enum Refused {
    Database(sqlx::Error),
    Disagrees(PostgresError),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl PostgresDatabase {
    /// Agrees on settings with the other processes of the service, and is one of them from now on. Each setting is called as its flag is.
    pub async fn join(
        &self,
        process: &Process,
        wanted: Vec<(&'static str, String)>,
    ) -> Result<(), PostgresError> {
        let (process, given) = (process.clone(), self.given_now());
        let joined = self.transaction(move |connection| {
            Box::pin(async move { join(connection, given, &process, wanted).await })
        });
        joined.await.map_err(|refused| match refused {
            Refused::Database(error) => PostgresError::of("agree on settings in")(error),
            Refused::Disagrees(error) => error,
        })
    }

    /// A process is alive. Gives how many are that run jobs.
    pub async fn alive(&self, process: &Process) -> Result<u64, PostgresError> {
        let failed = || PostgresError::of("count the processes of");
        let alive = sqlx::query(ALIVE)
            .bind(self.given_now())
            .bind(&process.name)
            .bind(process.runs)
            .bind(nanoseconds(process.term));
        let dead = sqlx::query(DEAD).bind(self.given_now());
        let count = sqlx::query("SELECT count(*) AS alive FROM processes WHERE runs");
        let within = process.term / 4;
        self.urgent_rows(within, alive).await.map_err(failed())?;
        self.urgent_rows(within, dead).await.map_err(failed())?;
        let rows = self.urgent_rows(within, count).await.map_err(failed())?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        let alive: i64 = row.and_then(|row| row.try_get("alive")).map_err(failed())?;
        Ok(u64::try_from(alive).unwrap_or_default())
    }

    /// A process ends.
    pub async fn leave(&self, process: &Process) -> Result<(), PostgresError> {
        let left = sqlx::query("DELETE FROM processes WHERE name = $1").bind(&process.name);
        let left = left.execute(&self.pool).await;
        left.map(drop).map_err(PostgresError::of("leave"))
    }

    /// A random secret that all processes of the service share; the first one draws it.
    pub async fn shared_secret(&self, drawn: [u8; 64]) -> Result<[u8; 64], PostgresError> {
        let failed = || PostgresError::of("read the shared secret of");
        let mut text = String::with_capacity(128);
        for byte in drawn {
            // Writing into a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        sqlx::query("INSERT INTO agreed (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(SECRET)
            .bind(text)
            .execute(&self.pool)
            .await
            .map_err(failed())?;
        let row = sqlx::query("SELECT decode(value, 'hex') AS value FROM agreed WHERE key = $1");
        let row = row.bind(SECRET).fetch_one(&self.pool).await;
        let value: Vec<u8> = row.and_then(|row| row.try_get("value")).map_err(failed())?;
        <[u8; 64]>::try_from(value).map_err(|_| failed()(sqlx::Error::RowNotFound))
    }
}

async fn join(
    connection: &mut PgConnection,
    given: Option<i64>,
    process: &Process,
    wanted: Vec<(&'static str, String)>,
) -> Result<(), Refused> {
    let locked = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
    locked.execute(&mut *connection).await?;
    let dead = sqlx::query(DEAD).bind(given);
    dead.execute(&mut *connection).await?;
    let others = sqlx::query("SELECT 1 FROM processes LIMIT 1");
    let is_first = others.fetch_optional(&mut *connection).await?.is_none();
    for (key, wanted) in wanted {
        let statement = if is_first {
            "INSERT INTO agreed (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        } else {
            "INSERT INTO agreed (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        };
        let written = sqlx::query(statement).bind(key).bind(&wanted);
        written.execute(&mut *connection).await?;
        let row = sqlx::query("SELECT value FROM agreed WHERE key = $1").bind(key);
        let agreed: String = row.fetch_one(&mut *connection).await?.try_get("value")?;
        if agreed != wanted {
            return Err(Refused::Disagrees(PostgresError::Disagrees {
                key,
                agreed,
                wanted,
            }));
        }
    }
    sqlx::query(ALIVE)
        .bind(given)
        .bind(&process.name)
        .bind(process.runs)
        .bind(nanoseconds(process.term))
        .execute(connection)
        .await?;
    Ok(())
}
