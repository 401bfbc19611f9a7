//! The database itself: opened, backed up, closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::ports::Clock;
use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use super::error::DatabaseError;
use super::migrate::{STEPS, bring_up_to_date, copy_into, format_of, inspect, to_read, to_write};
use super::writer::Writer;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// A database of the service: one connection that writes, a few that read.
#[derive(Clone)]
pub struct Database {
    path: PathBuf,
    pub(super) writer: Arc<Writer>,
    pub(super) readers: SqlitePool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Database {
    /// Opens the database, made where it is missing and brought into the newest format where it is older; before that a copy is kept
    /// beside it. One of a newer version or a damaged one is refused and left as it is.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
        bring_up_to_date(path, STEPS).await?;
        let writer = Writer::open(to_write(path)).await;
        let writer = writer.map_err(DatabaseError::sqlite("open", path))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(to_read(path))
            .await
            .map_err(DatabaseError::sqlite("open", path))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Arc::new(writer),
            readers,
            clock,
        })
    }

    /// Opens a database beside a service that uses it, to read from it or to add to its audit trail. It is not migrated.
    pub async fn open_beside(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
        let found = inspect(path, STEPS).await?;
        if found < format_of(STEPS) {
            let path = path.to_owned();
            return Err(DatabaseError::Older { path, found });
        }
        Self::open(path, clock).await
    }

    /// Copies it, in use or not, into a new file that only this user can read, and checks the copy.
    pub async fn backup(&self, copy: &Path) -> Result<(), DatabaseError> {
        copy_into(&self.path, copy).await
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends its connections. Nothing is lost where this is left out.
    pub async fn close(&self) -> Result<(), DatabaseError> {
        self.readers.close().await;
        let closed = self.writer.close().await;
        closed.map_err(DatabaseError::sqlite("close", &self.path))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Empties the write-ahead log, so that what was deleted is in no file any more.
    pub(super) async fn truncate_log(&self) -> Result<(), sqlx::Error> {
        self.writer
            .run(|connection| {
                Box::pin(async move {
                    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
                    let row = row.fetch_one(connection).await?;
                    match sqlx::Row::try_get::<i64, _>(&row, 0)? {
                        0 => Ok(()),
                        _ => Err(sqlx::Error::Io(std::io::ErrorKind::ResourceBusy.into())),
                    }
                })
            })
            .await
    }
}
