//! Sealed credentials in SQLite.

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{JobId, SealedCredentials, SealedCredentialsError};
use sqlx::Row as _;

use super::database::Database;
use crate::columns::RowError;
use crate::rows::read_id;

struct Failure(SealedCredentialsError);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(SealedCredentialsError(Box::new(error)))
    }
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        Self(SealedCredentialsError(error))
    }
}

impl From<Failure> for SealedCredentialsError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// The sealed credentials of a [`Database`]. Those of a job go with its end, whoever ends it.
pub struct SqliteCredentials {
    database: Database,
}

impl SqliteCredentials {
    /// The sealed credentials of this database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }
}

#[async_trait]
impl SealedCredentials for SqliteCredentials {
    async fn put(&self, job: &JobId, sealed: Bytes) -> Result<(), SealedCredentialsError> {
        let job = job.to_string();
        let put = self.database.writer.run(move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO sealed_credentials (job, sealed) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET sealed = excluded.sealed")
                    .bind(job)
                    .bind(sealed.to_vec())
                    .execute(connection)
                    .await?;
                Ok::<_, Failure>(())
            })
        });
        Ok(put.await?)
    }

    async fn get(&self, job: &JobId) -> Result<Option<Bytes>, SealedCredentialsError> {
        let statement = sqlx::query("SELECT sealed FROM sealed_credentials WHERE job = ?");
        let row = statement.bind(job.as_str());
        let row = row.fetch_optional(&self.database.readers).await;
        let sealed = row.map_err(Failure::from)?;
        let sealed = sealed.map(|row| row.try_get::<Vec<u8>, _>("sealed"));
        Ok(sealed.transpose().map_err(Failure::from)?.map(Bytes::from))
    }

    async fn delete(&self, job: &JobId) -> Result<(), SealedCredentialsError> {
        let job = job.to_string();
        let deleted = self.database.writer.run(move |connection| {
            Box::pin(async move {
                let statement = sqlx::query("DELETE FROM sealed_credentials WHERE job = ?");
                statement.bind(job).execute(connection).await?;
                Ok::<_, Failure>(())
            })
        });
        deleted.await?;
        // Also where nothing was deleted now: the log may not have been emptied then.
        Ok(self.database.truncate_log().await.map_err(Failure::from)?)
    }

    async fn list(&self) -> Result<Vec<JobId>, SealedCredentialsError> {
        let rows = sqlx::query("SELECT job FROM sealed_credentials ORDER BY job");
        let rows = rows.fetch_all(&self.database.readers).await;
        let rows = rows.map_err(Failure::from)?;
        let ids = rows.iter().map(|row| read_id(row, "job"));
        Ok(ids.collect::<Result<_, _>>().map_err(Failure::from)?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use domain::jobs::{ClaimLimits, Ending, Job, JobRequest, JobStore as _, Shares, WorkerId};
    use domain::model::UserId;
    use domain::testing::ManualClock;
    use jiff::Timestamp;

    use super::super::jobs::SqliteJobStore;
    use super::*;

    const SEALED: &[u8] = b"sealed so that nobody reads it";

    fn is_in_a_file(folder: &Path) -> bool {
        let files = std::fs::read_dir(folder).unwrap();
        let mut contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        contents.any(|content| content.windows(SEALED.len()).any(|part| part == SEALED))
    }

    #[tokio::test]
    async fn what_was_deleted_is_in_no_file_whoever_deleted_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let clock = Arc::new(ManualClock::default());
        let database = Database::open(&path, clock).await.unwrap();
        let (store, jobs) = (
            SqliteCredentials::new(&database),
            SqliteJobStore::new(&database),
        );
        let id = JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap();
        let john = UserId::parse("john").unwrap();
        let request = JobRequest::everything_of(john.clone());
        let job = Job::new(id.clone(), john, request, Timestamp::UNIX_EPOCH);
        let shares = Shares {
            unfinished: 1,
            unfinished_in_all: 1,
            orders_a_day: 1,
            archives: 1,
        };
        jobs.admit(job, &shares).await.unwrap();

        store.put(&id, Bytes::from_static(SEALED)).await.unwrap();
        assert!(is_in_a_file(folder.path()));
        store.delete(&id).await.unwrap();
        assert!(!is_in_a_file(folder.path()));

        store.put(&id, Bytes::from_static(SEALED)).await.unwrap();
        let (worker, term) = (WorkerId::of("worker"), Duration::from_mins(1));
        let limits = ClaimLimits {
            archives: 3,
            campaigns: true,
        };
        let claim = jobs.claim(&worker, term, limits).await.unwrap().unwrap();
        let ended = jobs.settle(&claim.lease, Ending::Cancelled, Vec::new());
        ended.await.unwrap();
        assert_eq!(store.get(&id).await.unwrap(), None);
        assert!(!is_in_a_file(folder.path()));
    }
}
