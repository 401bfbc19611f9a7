//! A database of any engine.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::dialect::Dialect;
use crate::rows::Columns;
use crate::statement::Statement;
use crate::work::Work;

/// One transaction of an engine.
#[async_trait]
pub(crate) trait Transaction: Send {
    /// The engine.
    type Engine: Dialect;
    /// What it answers with.
    type Row: Columns + Send;

    /// The moment it is, by the store's clock.
    async fn now(&mut self) -> Result<Timestamp, sqlx::Error>;

    /// Runs a statement. Gives the rows that it returns.
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Self::Row>, sqlx::Error>;
}

/// The transaction that work is done in.
pub(crate) type Tx<'c, D> = &'c mut (
            dyn Transaction<Engine = <D as SqlDatabase>::Engine, Row = <D as SqlDatabase>::Row> + 'c
        );

/// A database, opened.
#[async_trait]
pub(crate) trait SqlDatabase: Send + Sync + 'static {
    /// The engine.
    type Engine: Dialect;
    /// What it answers with.
    type Row: Columns + Send + Sync;

    /// The moment it is, by the store's clock.
    async fn now(&self) -> Result<Timestamp, sqlx::Error>;

    /// Whether what is recorded now will be found by the next process: a file may have been removed, or replaced, while it is open.
    async fn in_place(&self) -> Result<(), sqlx::Error> {
        Ok(())
    }

    /// Reads rows.
    async fn read(&self, statement: Statement) -> Result<Vec<Self::Row>, sqlx::Error>;

    /// Runs a statement that writes and stands for itself. Gives the rows that it returns.
    async fn write(&self, statement: Statement) -> Result<Vec<Self::Row>, sqlx::Error>;

    /// Does work in one transaction, on a task of its own: where its caller is dropped it is still done to its end. An error takes
    /// everything back.
    async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(Tx<'c, Self>) -> Work<'c, T, E> + Send + 'static;

    /// Something secret was deleted: its bytes are removed from the files too, where this process has them.
    async fn forget_deleted(&self) -> Result<(), sqlx::Error>;
}
