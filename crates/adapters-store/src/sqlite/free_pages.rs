//! Free pages for records on a full disk. What a database writes over in its own files takes no new space: pages that are free inside it, and a
//! write-ahead log that is written from its beginning once more.

use std::sync::Arc;

use sqlx::Row as _;

use super::writer::Writer;

/// Pages that are free in a database when it is opened: more than what ends some hundred jobs.
const FREE_PAGES: i64 = 64;

/// Each is a transaction of its own: pages that are free before they were ever on disk take no space there. The log is as long as all of
/// them, and is not made shorter.
const FREE_SOME: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS free_pages (bytes BLOB)",
    "INSERT INTO free_pages VALUES (zeroblob(300000))",
    "PRAGMA wal_checkpoint(RESTART)",
    "DROP TABLE free_pages",
];

/// Makes free pages inside of the database, where there are few.
pub(super) async fn make(writer: &Arc<Writer>) -> Result<(), sqlx::Error> {
    let made = writer.run(|connection| {
        Box::pin(async move {
            let free = sqlx::query("PRAGMA freelist_count").fetch_one(&mut *connection);
            if free.await?.try_get::<i64, _>(0)? >= FREE_PAGES {
                return Ok(());
            }
            for statement in FREE_SOME {
                sqlx::query(statement).execute(&mut *connection).await?;
            }
            Ok(())
        })
    });
    made.await
}

/// Writes the log into the database, so that it is used from its beginning again. Nothing is changed where the database file cannot grow or
/// somebody reads.
pub(super) async fn use_log_again(writer: &Arc<Writer>) -> Result<(), sqlx::Error> {
    let used = writer.run(|connection| {
        Box::pin(async move {
            let restart = sqlx::query("PRAGMA wal_checkpoint(RESTART)");
            restart.execute(connection).await.map(drop)
        })
    });
    used.await
}
