//! The tables: made by whichever process is first, and migrated where they are older.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};

use super::error::PostgresError;

/// One step of the format after the other. A step that was released is never changed.
const STEPS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// Of the lock that one process at a time migrates under: `UFEX`.
const LOCK: i64 = 0x5546_4558;

/// Brings the tables into the newest format. A task of its own: it is done to its end, or taken back.
pub(super) async fn bring_up_to_date(pool: &PgPool) -> Result<(), PostgresError> {
    let pool = pool.clone();
    let task = tokio::spawn(async move {
        let begun = pool.begin().await;
        let mut transaction = begun.map_err(PostgresError::of("migrate"))?;
        migrate(&mut transaction).await?;
        let done = transaction.commit().await;
        done.map_err(PostgresError::of("migrate"))
    });
    task.await.unwrap_or_else(|error| {
        let source = sqlx::Error::Io(std::io::Error::other(error));
        Err(PostgresError::of("migrate")(source))
    })
}

async fn migrate(connection: &mut PgConnection) -> Result<(), PostgresError> {
    let failed = PostgresError::of("migrate");
    let found = match prepare(connection).await {
        Ok(found) => found,
        Err(error) => return Err(failed(error)),
    };
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(PostgresError::Newer { found, known });
    }
    let done = usize::try_from(found).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        let made = sqlx::raw_sql(AssertSqlSafe(*step)).execute(&mut *connection);
        made.await.map_err(PostgresError::of("migrate"))?;
    }
    if found < known {
        let noted = sqlx::query("UPDATE format SET number = $1").bind(known);
        noted
            .execute(connection)
            .await
            .map_err(PostgresError::of("migrate"))?;
    }
    Ok(())
}

/// Waits for the lock, which ends with the transaction. Gives the format that is there.
async fn prepare(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let locked = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
    locked.execute(&mut *connection).await?;
    for statement in [
        // That it is there already is no news.
        "SET LOCAL client_min_messages = warning",
        "CREATE TABLE IF NOT EXISTS format (number bigint NOT NULL)",
        "INSERT INTO format (number) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM format)",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    let row = sqlx::query("SELECT number FROM format");
    row.fetch_one(connection).await?.try_get("number")
}
