//! The database itself: opened, asked, closed.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::error::{PostgresError, may_be_starting};
use super::migrate::bring_up_to_date;
use super::signals::Signals;
use super::url::DatabaseUrl;
use crate::failure::said_once;
use crate::moments::{from_column, to_column};
use crate::work::Work;

/// Connections of one process, besides the one for renewals and the one that listens.
const CONNECTIONS: u32 = 8;
/// How long a connection is waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long is waited before a database that may be starting is asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// A statement of PostgreSQL's own, with what is bound to it.
pub(super) type Query<'q> = query::Query<'q, Postgres, PgArguments>;

/// A database that the processes of a service share.
#[derive(Clone)]
pub struct PostgresDatabase {
    pub(super) pool: PgPool,
    /// A connection of its own: what renews leases does not wait for what works under them.
    renewals: Arc<Mutex<Option<PgConnection>>>,
    options: PgConnectOptions,
    pub(super) signals: Arc<Signals>,
    /// Instead of the database's own: in tests.
    clock: Option<Arc<dyn Clock>>,
}

impl PostgresDatabase {
    /// Opens the database. The first process makes its tables, or migrates them, under a lock; one of a newer version is refused and left
    /// as it is.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, PostgresError> {
        Self::open_with(url, None).await
    }

    /// Opens it with a clock instead of the database's own.
    pub async fn open_with(
        url: &DatabaseUrl,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, PostgresError> {
        let options = url.options();
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(CONNECT_WITHIN)
        };
        // A pool says only that it has no connection, and not why.
        let reached = reach(options).await;
        reached.map_err(|error| PostgresError::Unreachable {
            place: url.place(),
            source: said_once(error),
        })?;
        let opened = pool(CONNECTIONS).connect_lazy_with(options.clone());
        bring_up_to_date(&opened).await?;
        let signals = Signals::start(options.clone(), opened.clone());
        Ok(Self {
            pool: opened,
            renewals: Arc::default(),
            options: options.clone(),
            signals,
            clock,
        })
    }

    /// What a statement gives on the connection for renewals, within this time. A connection that does not answer is given up, so that the next
    /// statement has a new one: after a failover the old one may stay silent for a quarter of an hour.
    pub(super) async fn urgent_rows(
        &self,
        within: Duration,
        statement: Query<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let until = Instant::now() + within;
        let answered = timeout_at(until, async {
            let mut kept = self.renewals.lock().await;
            // Taken out: where its answer does not come in time, or is an error, it is not used again.
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => PgConnection::connect_with(&self.options).await?,
            };
            let rows = statement.fetch_all(&mut connection).await?;
            *kept = Some(connection);
            Ok(rows)
        });
        answered.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Ends its connections. Nothing is lost where this is left out.
    pub async fn close(&self) {
        self.signals.stop();
        drop(self.renewals.lock().await.take());
        self.pool.close().await;
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), PostgresError> {
        let answered = sqlx::query("SELECT 1").execute(&self.pool).await;
        answered.map(drop).map_err(PostgresError::of("reach"))
    }

    /// The first parameter of statements that need to know the time.
    pub(super) fn given_now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| to_column(clock.now()))
    }

    /// The moment it is, by the store's clock.
    pub(super) async fn now_in(
        given: Option<i64>,
        connection: &mut PgConnection,
    ) -> Result<Timestamp, sqlx::Error> {
        if let Some(now) = given {
            return Ok(from_column(now));
        }
        let now = sqlx::query_scalar(NOW).fetch_one(connection).await?;
        Ok(from_column(now))
    }

    /// One transaction. It is a task of its own: where its caller is dropped it is still done to its end, and no connection goes back to
    /// its pool within a transaction. An error takes everything back.
    pub(crate) async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T, E> + Send + 'static,
    {
        let pool = self.pool.clone();
        let task = tokio::spawn(async move {
            let mut transaction = pool.begin().await?;
            match work(&mut transaction).await {
                Ok(done) => {
                    transaction.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    // Where even that fails, the connection is closed and the database takes it back.
                    let _ = transaction.rollback().await;
                    Err(error)
                }
            }
        });
        task.await
            .unwrap_or_else(|error| Err(sqlx::Error::Io(std::io::Error::other(error)).into()))
    }
}

/// Connects once, within the limit of time. A database that may be starting is asked again within it.
async fn reach(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let until = Instant::now() + CONNECT_WITHIN;
    let mut last = None;
    loop {
        match timeout_at(until, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                // Whatever comes of that: it let us in.
                let _ = timeout_at(until, connection.close()).await;
                return Ok(());
            }
            Ok(Err(error)) if may_be_starting(&error) && Instant::now() + AGAIN < until => {
                last = Some(error);
                tokio::time::sleep(AGAIN).await;
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let silent = format!("no answer within {} seconds", CONNECT_WITHIN.as_secs());
                let silent = std::io::Error::new(std::io::ErrorKind::TimedOut, silent);
                return Err(last.unwrap_or_else(|| silent.into()));
            }
        }
    }
}

const NOW: &str = "SELECT uforge_export_now() AS now";

/// A duration as nanoseconds, as long as there are so many.
pub(super) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX / 4)
}
