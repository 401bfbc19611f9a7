//! The one connection that writes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::Mutex;

/// Work with the writing connection.
pub(super) type Work<'c, T, E> = BoxFuture<'c, Result<T, E>>;

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
        let writer = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut place = writer.connection.lock().await;
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => writer.options.connect().await?,
            };
            let done = work(&mut connection).await;
            *place = Some(connection);
            done
        });
        task.await
            .unwrap_or_else(|error| Err(sqlx::Error::Io(std::io::Error::other(error)).into()))
    }

    /// One transaction, which has the right to write from its beginning: SQLite does not wait where a reader wants to become a writer. An
    /// error takes everything back.
    pub(super) async fn transaction<T, E, F>(self: &Arc<Self>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, E> + Send + 'static,
    {
        let writer = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut place = writer.connection.lock().await;
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => writer.options.connect().await?,
            };
            if let Err(error) = sqlx::query("BEGIN IMMEDIATE")
                .execute(&mut connection)
                .await
            {
                // Somebody else writes: the connection itself is whole.
                *place = Some(connection);
                return Err(error.into());
            }
            let done = work(&mut connection).await;
            let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = sqlx::query(end).execute(&mut connection).await;
            match (done, ended) {
                (done, Ok(_)) => {
                    *place = Some(connection);
                    done
                }
                // Without its connection the transaction is taken back.
                (Ok(_), Err(error)) => Err(error.into()),
                (Err(error), Err(_)) => Err(error),
            }
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
