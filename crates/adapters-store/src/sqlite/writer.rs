//! The one connection that writes.

use std::sync::Arc;

use sqlx::query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Sqlite, SqliteConnection};
use tokio::sync::Mutex;

use crate::work::Work;

/// A statement of SQLite's own, with what is bound to it.
pub(super) type Query<'q> = query::Query<'q, Sqlite, SqliteArguments>;

/// The one connection that writes, for one piece of work after the other.
///
/// Work is a task of its own: where its caller is dropped it is still done to its end, and no transaction stays open. A
/// connection whose work ended otherwise than in order is thrown away.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    connection: Mutex<Option<SqliteConnection>>,
}

impl Writer {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = options.connect().await?;
        Ok(Self {
            options,
            connection: Mutex::new(Some(connection)),
        })
    }

    /// Statements that each stand for themselves.
    pub(super) async fn run<T, E, F>(self: &Arc<Self>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, E> + Send + 'static,
    {
        self.with(move |mut connection: SqliteConnection| async move {
            let done = work(&mut connection).await;
            (Some(connection), done)
        })
        .await
    }

    /// One statement that changes rows. Gives the rows that it returns.
    pub(super) async fn rows(
        self: &Arc<Self>,
        statement: Query<'static>,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.run(move |connection| Box::pin(statement.fetch_all(connection)))
            .await
    }

    /// One transaction, which has the right to write from its beginning: SQLite does not wait where a reader wants to become a writer. An
    /// error takes everything back.
    pub(super) async fn transaction<T, E, F>(self: &Arc<Self>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, E> + Send + 'static,
    {
        self.with(move |mut connection: SqliteConnection| async move {
            let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut connection);
            if let Err(error) = begun.await {
                // Somebody else writes: the connection itself is whole.
                return (Some(connection), Err(error.into()));
            }
            let done = work(&mut connection).await;
            let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = sqlx::query(end).execute(&mut connection).await;
            match (done, ended) {
                (done, Ok(_)) => (Some(connection), done),
                // Without its connection the transaction is taken back.
                (Ok(_), Err(error)) => (None, Err(error.into())),
                (Err(error), Err(_)) => (None, Err(error)),
            }
        })
        .await
    }

    /// Work with the connection, which gives it back where it is whole.
    async fn with<T, E, F, Done>(self: &Arc<Self>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: FnOnce(SqliteConnection) -> Done + Send + 'static,
        Done: Future<Output = (Option<SqliteConnection>, Result<T, E>)> + Send + 'static,
    {
        let writer = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut place = writer.connection.lock().await;
            let connection = match place.take() {
                Some(connection) => connection,
                None => writer.options.connect().await?,
            };
            let (connection, done) = work(connection).await;
            *place = connection;
            done
        });
        task.await
            .unwrap_or_else(|error| Err(sqlx::Error::Io(std::io::Error::other(error)).into()))
    }

    /// Closes the connection.
    pub(super) async fn close(&self) -> Result<(), sqlx::Error> {
        match self.connection.lock().await.take() {
            Some(connection) => sqlx::Connection::close(connection).await,
            None => Ok(()),
        }
    }
}
