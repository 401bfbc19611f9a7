//! The format of the database: what it is in a file, and how it is migrated.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use adapters_archive::{Access, open_own_file, open_own_folder};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use std::time::Duration;

use super::error::DatabaseError;

/// One step of the format after the other. A step that was released is never changed.
pub(super) const STEPS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
];

/// Says in the file's head whose database it is: `UFEX`.
const APPLICATION: i64 = 0x5546_4558;
/// Whoever writes from another process is waited for so long.
const BUSY: Duration = Duration::from_secs(30);
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
pub(crate) const HEAD_BYTES: usize = 100;

/// How connections are opened that write.
pub(super) fn to_write(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

/// How connections are opened that only read.
pub(super) fn to_read(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

/// Brings the database into the newest format, and makes it where it is missing.
pub(super) async fn bring_up_to_date(path: &Path, steps: &[&str]) -> Result<(), DatabaseError> {
    if path.symlink_metadata().is_err() {
        return create(path, steps).await;
    }
    let found = inspect(path, steps).await?;
    if found < format_of(steps) {
        keep_copy(path, found).await?;
        migrate(path, steps, found).await?;
    }
    Ok(())
}

pub(super) fn format_of(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// A database has its name only once it is whole: whatever stands under the name was whole once.
async fn create(path: &Path, steps: &[&str]) -> Result<(), DatabaseError> {
    let new = beside(path, "new");
    for file in [new.clone(), beside(&new, "wal"), beside(&new, "shm")] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DatabaseError::io("remove", &file)(error));
            }
            _ => {}
        }
    }
    make_file(&new)?;
    migrate(&new, steps, 0).await?;
    fs::rename(&new, path).map_err(DatabaseError::io("create", path))?;
    sync_folder_of(path)
}

/// The file with something added to its name.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(what);
    PathBuf::from(name)
}

/// An empty file that only this user can read. SQLite gives the files beside a database the access rights of the database.
fn make_file(path: &Path) -> Result<(), DatabaseError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(DatabaseError::Exists {
            path: path.to_owned(),
        }),
        made => made.map(drop).map_err(DatabaseError::io("create", path)),
    }
}

pub(super) fn sync_folder_of(path: &Path) -> Result<(), DatabaseError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(DatabaseError::io("flush the folder of", path))
}

/// Looks at a database without changing a byte of it. Gives its format.
pub(super) async fn inspect(path: &Path, steps: &[&str]) -> Result<i64, DatabaseError> {
    let known = format_of(steps);
    let check = |found: i64| {
        let path = path.to_owned();
        match found {
            found if found > known => Err(DatabaseError::Newer { path, found, known }),
            found if found < 1 => Err(DatabaseError::Foreign { path }),
            found => Ok(found),
        }
    };
    // The head first: SQLite itself writes beside a database even where it only reads.
    check(read_head(path)?)?;
    let failed = |action| DatabaseError::sqlite(action, path);
    let connection = to_read(path).connect().await;
    let mut connection = connection.map_err(failed("open"))?;
    let looked = look(&mut connection).await;
    connection.close().await.map_err(failed("close"))?;
    let (found, verdict) = looked.map_err(failed("check"))?;
    // The newest format may be in the write-ahead log only.
    check(found)?;
    match verdict.as_str() {
        "ok" => Ok(found),
        _ => Err(DatabaseError::Damaged {
            path: path.to_owned(),
            detail: verdict,
        }),
    }
}

async fn look(connection: &mut SqliteConnection) -> Result<(i64, String), sqlx::Error> {
    let format = sqlx::query("PRAGMA user_version");
    let format = format.fetch_one(&mut *connection).await?.try_get(0)?;
    let verdict = sqlx::query("PRAGMA quick_check(1)");
    let verdict = verdict.fetch_one(&mut *connection).await?.try_get(0)?;
    Ok((format, verdict))
}

/// Whether a file that begins so is a database of this service, of whatever format.
pub(crate) fn is_ours(head: &[u8]) -> bool {
    let application = head.get(68..72).and_then(|bytes| bytes.try_into().ok());
    let application = application.map(|bytes| i64::from(u32::from_be_bytes(bytes)));
    head.starts_with(MAGIC) && application == Some(APPLICATION)
}

/// Whose database it is and its format, from the first bytes of the file.
fn read_head(path: &Path) -> Result<i64, DatabaseError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let opened =
        open_own_folder(folder).and_then(|folder| open_own_file(&folder, path, Access::Read));
    let file = opened.map_err(DatabaseError::io("open", path))?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = file.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(DatabaseError::io("read", path))?;
    let number = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(|bytes| i64::from(u32::from_be_bytes(bytes)))
    };
    let path = path.to_owned();
    let (true, Some(format), Some(application)) = (head.starts_with(MAGIC), number(60), number(68))
    else {
        let detail = "it does not begin as a database does".to_owned();
        return Err(DatabaseError::Damaged { path, detail });
    };
    if application == APPLICATION {
        Ok(format)
    } else {
        Err(DatabaseError::Foreign { path })
    }
}

/// Keeps a copy beside the database, as it was before it is migrated.
async fn keep_copy(path: &Path, format: i64) -> Result<(), DatabaseError> {
    let copy = beside(path, &format!("before-format-{}", format + 1));
    let part = beside(&copy, "part");
    let _ = fs::remove_file(&part);
    copy_into(path, &part).await?;
    fs::rename(&part, &copy).map_err(DatabaseError::io("create", &copy))?;
    sync_folder_of(&copy)
}

/// Copies a database, whoever uses it meanwhile, into a new file that only this user can read, and checks the copy.
async fn copy_into(path: &Path, copy: &Path) -> Result<(), DatabaseError> {
    make_file(copy)?;
    let copied = copy_and_check(path, copy).await;
    if copied.is_err() {
        let _ = fs::remove_file(copy);
    }
    copied
}

pub(super) async fn copy_and_check(path: &Path, copy: &Path) -> Result<(), DatabaseError> {
    let name = copy.to_str().ok_or_else(|| DatabaseError::Io {
        action: "name in UTF-8",
        path: copy.to_owned(),
        source: io::ErrorKind::InvalidFilename.into(),
    })?;
    let failed = |action| DatabaseError::sqlite(action, path);
    let mut connection = to_read(path).connect().await.map_err(failed("open"))?;
    let copied = sqlx::query("VACUUM INTO ?").bind(name);
    let copied = copied.execute(&mut connection).await;
    connection.close().await.map_err(failed("close"))?;
    copied.map_err(failed("copy"))?;

    let failed = |action| DatabaseError::sqlite(action, copy);
    let options = to_read(copy).immutable(true);
    let mut connection = options.connect().await.map_err(failed("open"))?;
    let verdict = sqlx::query("PRAGMA integrity_check(1)");
    let verdict = verdict.fetch_one(&mut connection).await;
    connection.close().await.map_err(failed("close"))?;
    let detail: String = verdict
        .and_then(|row| row.try_get(0))
        .map_err(failed("check"))?;
    if detail != "ok" {
        let path = copy.to_owned();
        return Err(DatabaseError::Damaged { path, detail });
    }
    let synced = File::open(copy).and_then(|file| file.sync_all());
    synced.map_err(DatabaseError::io("flush", copy))?;
    sync_folder_of(copy)
}

/// Every step is a transaction: a kill leaves the format before or after it.
async fn migrate(path: &Path, steps: &[&str], from: i64) -> Result<(), DatabaseError> {
    let failed = |action| DatabaseError::sqlite(action, path);
    let mut connection = to_write(path).connect().await.map_err(failed("open"))?;
    let done = take_steps(&mut connection, steps, from).await;
    connection.close().await.map_err(failed("close"))?;
    done.map_err(failed("migrate"))
}

async fn take_steps(
    connection: &mut SqliteConnection,
    steps: &[&str],
    from: i64,
) -> Result<(), sqlx::Error> {
    for (step, format) in steps.iter().zip(1_i64..) {
        if format <= from {
            continue;
        }
        let script = format!(
            "BEGIN IMMEDIATE;\n{step}\n;PRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {format};\nCOMMIT;"
        );
        sqlx::raw_sql(AssertSqlSafe(script))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
