//! From one process to many: what a database in a folder holds is copied into one that processes share.

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqlitePool};
use thiserror::Error;

use crate::columns::RowError;
use crate::failure::said_once;
use crate::postgres::PostgresDatabase;
use crate::sqlite::Database;

/// Why records cannot be copied. Nothing was written.
#[derive(Debug, Error)]
pub enum CopyError {
    /// Runs are under way, and what they have on the platform is known in the folder only.
    #[error("{jobs} exports are under way")]
    UnderWay {
        /// How many.
        jobs: u64,
    },
    /// The other database is in use already.
    #[error("the other database holds {jobs} exports that are not this service's")]
    NotEmpty {
        /// How many.
        jobs: u64,
    },
    /// The database that is read.
    #[error("the records could not be read")]
    Read(#[source] RowError),
    /// The database that is written.
    #[error("the records could not be written")]
    Write(#[source] RowError),
}

impl CopyError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnderWay { .. } => {
                Some("start the service once more, and let them end or cancel them")
            }
            Self::NotEmpty { .. } => Some("name an empty database"),
            Self::Read(_) | Self::Write(_) => None,
        }
    }
}

/// How many records were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Exports.
    pub jobs: u64,
    /// Entries of the audit trail.
    pub audit: u64,
}

/// Columns of a table that both engines have, and how each is read.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// What is read in place of a column of this name.
    instead: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Bytes,
}

use Kind::{Bytes, Number, Text};

/// Unfinished runs stay in the folder: a failed job cannot be retried afterwards.
const TABLES: [Table; 7] = [
    Table {
        name: "campaigns",
        columns: &[
            ("id", Text),
            ("requested_by", Text),
            ("requested", Number),
            ("ordered", Text),
            ("state", Text),
            ("total", Number),
        ],
        instead: &[],
    },
    Table {
        name: "jobs",
        columns: &[
            ("id", Text),
            ("owner", Text),
            ("request", Text),
            ("requested", Number),
            ("began", Number),
            ("state", Text),
            ("waiting_for", Text),
            ("retry_at", Number),
            ("give_up_at", Number),
            ("ended_at", Number),
            ("failure", Text),
            ("resumable_until", Number),
            ("ready_at", Number),
            ("expires_at", Number),
            ("bag", Text),
            ("completeness", Text),
            ("paused_since", Number),
            ("deaths", Number),
            ("notes", Text),
            ("downloads", Text),
            ("downloads_total", Number),
            ("version", Number),
            ("wish", Text),
            ("claimed", Number),
            ("campaign", Text),
            ("ordered_by", Text),
        ],
        instead: &[("resumable_until", "NULL")],
    },
    Table {
        name: "reports",
        columns: &[("job", Text), ("report", Bytes)],
        instead: &[],
    },
    Table {
        name: "audit",
        columns: &[
            ("number", Number),
            ("at", Number),
            ("action", Text),
            ("actor", Text),
            ("subject", Text),
            ("source", Text),
            ("export", Text),
            ("sha256", Text),
            ("bytes", Number),
            ("detail", Text),
        ],
        instead: &[],
    },
    Table {
        name: "audit_transfers",
        columns: &[
            ("number", Number),
            ("at", Number),
            ("start", Number),
            ("bytes", Number),
        ],
        instead: &[],
    },
    Table {
        name: "idempotency_keys",
        columns: &[
            ("owner", Text),
            ("key", Text),
            ("request", Text),
            ("export", Text),
            ("reserved", Number),
        ],
        instead: &[],
    },
    Table {
        name: "sealed_credentials",
        columns: &[("job", Text), ("sealed", Bytes)],
        instead: &[],
    },
];

/// Jobs that were begun and are not over: their tickets are known in the folder only.
const UNDER_WAY: &str = "SELECT count(*) AS jobs FROM jobs WHERE state IN ('running', 'waiting') \
    OR (state = 'queued' AND began IS NOT NULL)";

/// What has to follow from what was copied.
const AFTERWARDS: [&str; 3] = [
    "UPDATE audit_numbers SET last = (SELECT coalesce(max(number), 0) FROM audit)",
    "SELECT setval('claims', greatest((SELECT max(claimed) FROM jobs), 1))",
    "UPDATE jobs SET turn = coalesce((SELECT max(claimed) FROM jobs AS other WHERE other.owner = jobs.owner \
        AND other.campaign IS NULL), 0)",
];

/// Copies all records, at once or not at all. What was copied before is left as it is, so that a copy that was killed can be made again.
/// Nobody may use either database meanwhile.
pub async fn copy_records(from: &Database, to: &PostgresDatabase) -> Result<Copied, CopyError> {
    let source = from.readers.clone();
    let row = sqlx::query(UNDER_WAY).fetch_one(&source).await;
    let jobs = count_of(row.map_err(unreadable)?.try_get("jobs"))?;
    if jobs > 0 {
        return Err(CopyError::UnderWay { jobs });
    }
    to.transaction(move |connection| Box::pin(async move { copy_all(&source, connection).await }))
        .await
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Write(said_once(error))
    }
}

fn unreadable(error: sqlx::Error) -> CopyError {
    CopyError::Read(said_once(error))
}

fn count_of(count: Result<i64, sqlx::Error>) -> Result<u64, CopyError> {
    Ok(u64::try_from(count.map_err(unreadable)?).unwrap_or_default())
}

async fn copy_all(source: &SqlitePool, to: &mut PgConnection) -> Result<Copied, CopyError> {
    let known: Vec<String> = sqlx::query_scalar("SELECT id FROM jobs")
        .fetch_all(&mut *to)
        .await?;
    let jobs = count(source, "jobs").await?;
    let audit = count(source, "audit").await?;
    if known.is_empty() {
        for table in &TABLES {
            copy(source, to, table).await?;
        }
        for statement in AFTERWARDS {
            sqlx::query(statement).execute(&mut *to).await?;
        }
        return Ok(Copied { jobs, audit });
    }
    // It was copied before, or it is another service's.
    let mut strangers = 0;
    for id in known {
        let found = sqlx::query("SELECT 1 FROM jobs WHERE id = ?").bind(id);
        let found = found.fetch_optional(source).await;
        strangers += u64::from(found.map_err(unreadable)?.is_none());
    }
    match strangers {
        0 => Ok(Copied { jobs, audit }),
        jobs => Err(CopyError::NotEmpty { jobs }),
    }
}

async fn count(source: &SqlitePool, table: &'static str) -> Result<u64, CopyError> {
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    count_of(sqlx::query_scalar(statement).fetch_one(source).await)
}

/// One row after the other: a report may have megabytes.
async fn copy(source: &SqlitePool, to: &mut PgConnection, table: &Table) -> Result<(), CopyError> {
    let instead = |name: &str| {
        let found = table.instead.iter().find(|(column, _)| *column == name);
        found.map_or_else(
            || name.to_owned(),
            |(_, other)| format!("{other} AS {name}"),
        )
    };
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let read: Vec<String> = names.iter().map(|name| instead(name)).collect();
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let read = format!("SELECT {} FROM {} ORDER BY 1", read.join(", "), table.name);
    let write = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    let mut rows = sqlx::query(AssertSqlSafe(read)).fetch(source);
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        let mut statement = sqlx::query(AssertSqlSafe(write.clone()));
        for (name, kind) in table.columns {
            statement = match kind {
                Text => statement.bind(value::<String>(&row, name)?),
                Number => statement.bind(value::<i64>(&row, name)?),
                Bytes => statement.bind(value::<Vec<u8>>(&row, name)?),
            };
        }
        statement.execute(&mut *to).await?;
    }
    Ok(())
}

fn value<'r, T>(row: &'r SqliteRow, name: &str) -> Result<Option<T>, CopyError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(name).map_err(unreadable)
}
