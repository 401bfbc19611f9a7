//! The database itself: opened, backed up, closed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters_archive::Replace;
use domain::ports::Clock;
use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use super::backup::back_up;
use super::error::DatabaseError;
use super::free_pages;
use super::migrate::{STEPS, bring_up_to_date, format_of, inspect, to_read, to_write};
use super::writer::Writer;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// A database of the service: one connection that writes, a few that read.
#[derive(Clone)]
pub struct Database {
    path: PathBuf,
    /// The file's number, by which it is known again.
    pub(super) inode: u64,
    pub(super) writer: Arc<Writer>,
    pub(crate) readers: SqlitePool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Database {
    /// Opens the database, made where it is missing and migrated where its format is older; before that a copy is kept
    /// beside it. One of a newer version or a damaged one is refused and left as it is.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
        bring_up_to_date(path, STEPS).await?;
        let writer = Writer::open(to_write(path)).await;
        let writer = writer.map_err(DatabaseError::sqlite("open", path))?;
        let found = path.symlink_metadata();
        let inode = found.map_err(DatabaseError::io("look at", path))?.ino();
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(to_read(path))
            .await
            .map_err(DatabaseError::sqlite("open", path))?;
        let writer = Arc::new(writer);
        // On a disk that is full already there is none to make.
        let _ = free_pages::make(&writer).await;
        Ok(Self {
            path: path.to_owned(),
            inode,
            writer,
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

    /// Copies a database, in use or not, into a file that only this user can read. The copy has its name only once it is whole,
    /// checked and on disk; what is kept of an older format is copied as it is.
    pub async fn back_up(
        database: &Path,
        copy: &Path,
        replace: Replace,
    ) -> Result<(), DatabaseError> {
        back_up(database, copy, replace).await
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use domain::testing::ManualClock;
    use sqlx::AssertSqlSafe;

    use super::*;

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::default())
    }

    async fn made(folder: &Path) -> PathBuf {
        let path = folder.join("jobs.sqlite");
        let database = Database::open(&path, clock()).await.unwrap();
        database.close().await.unwrap();
        path
    }

    async fn execute(database: &Database, statement: &str) -> Result<(), sqlx::Error> {
        let statement = statement.to_owned();
        let done = database.writer.run(move |connection| {
            Box::pin(async move {
                let statement = sqlx::raw_sql(AssertSqlSafe(statement));
                statement.execute(connection).await.map(drop)
            })
        });
        done.await
    }

    #[tokio::test]
    async fn files_are_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let _open = Database::open(&path, clock()).await.unwrap();
        let copy = folder.path().join("copy");
        let backed_up = Database::back_up(&path, &copy, Replace::Refuse).await;
        backed_up.unwrap();
        let mut names = Vec::new();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{entry:?}");
            names.push(entry.file_name().into_string().unwrap());
        }
        names.sort();
        let expected = ["copy", "jobs.sqlite", "jobs.sqlite-shm", "jobs.sqlite-wal"];
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn what_was_recorded_is_on_disk_and_what_was_deleted_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let database = Database::open(&path, clock()).await.unwrap();
        // `synchronous = 2` is FULL.
        let wanted = [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("secure_delete", "1"),
            ("foreign_keys", "1"),
        ];
        for (name, value) in wanted {
            let found = database.writer.run(move |connection| {
                Box::pin(async move {
                    let pragma = sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA {name}")));
                    let row = pragma.fetch_one(connection).await?;
                    let text = sqlx::Row::try_get::<String, _>(&row, 0);
                    let number = || sqlx::Row::try_get::<i64, _>(&row, 0);
                    text.or_else(|_| number().map(|number| number.to_string()))
                })
            });
            let found: Result<String, sqlx::Error> = found.await;
            assert_eq!(found.unwrap(), value, "{name}");
        }
    }

    #[tokio::test]
    async fn a_newer_a_damaged_and_a_foreign_database_are_named_and_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path()).await;
        let whole = fs::read(&path).unwrap();
        let changed = |at: usize, bytes: &[u8]| {
            let mut content = whole.clone();
            content[at..at + bytes.len()].copy_from_slice(bytes);
            content
        };
        let middle = whole.len() / 2;
        let contents = [
            changed(60, &99_u32.to_be_bytes()),
            changed(68, b"GPKG"),
            changed(0, b"no database here"),
            changed(4096, &[0xa5; 4096]),
            whole[..middle].to_vec(),
            whole[..50].to_vec(),
            Vec::new(),
        ];
        for (number, content) in contents.into_iter().enumerate() {
            fs::write(&path, &content).unwrap();
            let refused = Database::open(&path, clock()).await.err().unwrap();
            match number {
                0 => assert!(matches!(refused, DatabaseError::Newer { found: 99, .. })),
                1 => assert!(matches!(refused, DatabaseError::Foreign { .. })),
                _ => assert!(
                    matches!(refused, DatabaseError::Damaged { .. }),
                    "{number}: {refused}"
                ),
            }
            assert!(refused.to_string().contains("jobs.sqlite"));
            assert_eq!(fs::read(&path).unwrap(), content, "{number}");
        }
    }

    #[tokio::test]
    async fn a_newer_format_in_the_log_only_is_refused_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path()).await;
        let newer = Database::open(&path, clock()).await.unwrap();
        execute(&newer, "PRAGMA user_version = 99").await.unwrap();
        let refused = Database::open(&path, clock()).await.err().unwrap();
        assert!(matches!(refused, DatabaseError::Newer { found: 99, .. }));
    }

    #[tokio::test]
    async fn a_link_is_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let dear = made(other.path()).await;
        let link = folder.path().join("jobs.sqlite");
        std::os::unix::fs::symlink(&dear, &link).unwrap();
        let refused = Database::open(&link, clock()).await.err().unwrap();
        assert!(matches!(refused, DatabaseError::Distrusted(_)));
    }

    #[tokio::test]
    async fn before_a_migration_a_copy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        bring_up_to_date(&path, &STEPS[..1]).await.unwrap();
        let steps = [STEPS[0], "CREATE TABLE more (x INTEGER) STRICT"];
        bring_up_to_date(&path, &steps).await.unwrap();
        assert_eq!(inspect(&path, &steps).await.unwrap(), 2);
        let copy = folder.path().join("jobs.sqlite-before-format-2");
        assert_eq!(inspect(&copy, &steps).await.unwrap(), 1);
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A step that fails leaves the format as it was.
        let steps = [
            steps[0],
            steps[1],
            "CREATE TABLE half (x INTEGER); NONSENSE",
        ];
        assert!(bring_up_to_date(&path, &steps).await.is_err());
        assert_eq!(inspect(&path, &steps).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_start_that_was_killed_while_it_made_the_database_is_made_up_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jobs.sqlite-new"), "half").unwrap();
        made(folder.path()).await;
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_backup_is_whole_and_overwrites_only_what_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let database = Database::open(&path, clock()).await.unwrap();
        let entry = "INSERT INTO audit (number, at, action) VALUES (1, 0, 'signed-in')";
        execute(&database, entry).await.unwrap();
        let copy = folder.path().join("copy");
        fs::write(&copy, "dear to somebody").unwrap();
        let refused = Database::back_up(&path, &copy, Replace::Refuse).await;
        assert!(matches!(refused, Err(DatabaseError::Exists { .. })));
        assert_eq!(fs::read(&copy).unwrap(), b"dear to somebody");
        let backed_up = Database::back_up(&path, &copy, Replace::Force).await;
        backed_up.unwrap();
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 4, "the database, its two files, and the copy");
        let elsewhere = folder.path().join("none").join("copy");
        assert!(
            Database::back_up(&path, &elsewhere, Replace::Force)
                .await
                .is_err()
        );
        let copied = Database::open(&copy, clock()).await.unwrap();
        let entries = sqlx::query("SELECT * FROM audit").fetch_all(&copied.readers);
        assert_eq!(entries.await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_audit_trail_is_only_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let database = Database::open(&path, clock()).await.unwrap();
        for statement in [
            "INSERT INTO audit (number, at, action) VALUES (1, 0, 'downloaded')",
            "INSERT INTO audit_transfers (id, number, at, start, bytes) VALUES (1, 1, 0, 0, 1)",
        ] {
            execute(&database, statement).await.unwrap();
        }
        for refused in [
            "UPDATE audit SET actor = 'mary'",
            "DELETE FROM audit",
            "INSERT OR REPLACE INTO audit (number, at, action) VALUES (1, 0, 'deleted')",
            "INSERT INTO audit (number, at, action) VALUES (3, 0, 'deleted')",
            "UPDATE audit_transfers SET bytes = 0",
            "DELETE FROM audit_transfers",
            "INSERT OR REPLACE INTO audit_transfers (id, number, at, start, bytes) VALUES (1, 1, 0, 0, 9)",
        ] {
            let error = execute(&database, refused).await.unwrap_err();
            assert!(error.to_string().contains("only added to"), "{refused}");
        }
    }
}
