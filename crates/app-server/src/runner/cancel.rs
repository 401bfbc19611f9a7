//! Gives a job up for somebody, whoever runs it.

use std::time::Duration;

use domain::jobs::{AuditAction, Change, JobId, JobState, JobStoreError, StoredJob, Wish};
use domain::model::UserId;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::context::{Came, Context, sweeper};
use super::sign_in::Ways;
use crate::causes::Causes;

/// How often a job is looked at that another process runs: only changes that this process makes are heard.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Returns when this job may have changed.
async fn change_of(id: &JobId, changes: &mut BoxStream<'static, Change>) {
    while let Some(Change::Job(changed)) = changes.next().await {
        if changed == *id {
            return;
        }
    }
}

impl Context {
    /// Gives a job up for somebody, whoever runs it.
    pub(super) async fn cancel(
        &self,
        owner: &UserId,
        id: &JobId,
        by: &UserId,
    ) -> Result<(), JobStoreError> {
        // What changes after this is heard.
        let mut changes = self.ports.store.changes();
        let mut is_wished = false;
        loop {
            let mut began = std::pin::pin!(self.runs.began());
            began.as_mut().enable();
            let StoredJob { mut job, version } = self.ports.store.get(owner, id).await?;
            if let Some(run) = self.runs.get(id) {
                match self.ports.store.wish(owner, id, Wish::Cancel, by).await {
                    // It is over, or ends in this moment.
                    Ok(()) | Err(JobStoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error),
                }
                run.cancel.cancel();
                run.ended.cancelled().await;
                // That run may have been about to pause: the job is looked at once more.
                continue;
            }
            if matches!(job.state, JobState::Running) && !is_wished {
                match self.ports.store.wish(owner, id, Wish::Cancel, by).await {
                    Ok(()) | Err(JobStoreError::Conflict { .. }) => is_wished = true,
                    Err(error) => return Err(error),
                }
                continue;
            }
            if matches!(job.state, JobState::Running) {
                // It was claimed a moment ago and its run is about to be here, or another process runs it.
                tokio::select! {
                    () = began => {}
                    () = change_of(id, &mut changes) => {}
                    () = self.ports.clock.sleep(LOOK_AGAIN) => {}
                }
                continue;
            }
            if job.cancel(self.ports.store.now().await?).is_err() {
                return Ok(());
            }
            let ways = self.ways(&job).await;
            // Nobody runs it, and from now on nobody will.
            match self.ports.store.update(version, job.clone()).await {
                Ok(stored) => {
                    self.cancelled(stored, by, ways).await;
                    return Ok(());
                }
                Err(JobStoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What is left to do for a job that was given up while nobody ran it.
    async fn cancelled(&self, stored: StoredJob, by: &UserId, ways: Ways) {
        let StoredJob { mut job, version } = stored;
        let action = AuditAction::ExportCancelled;
        self.audit(action, &job, Some(by), Came::default()).await;
        let writer = sweeper(&job);
        let notes = match job.began {
            Some(_) => self.abandon_as(&job, &writer, ways.clone()).await.notes,
            None => Vec::new(),
        };
        let is_open = self.delete_unless_open(&job, &writer).await;
        if !notes.is_empty() {
            job.add_notes(notes);
            if let Err(error) = self.ports.store.update(version, job.clone()).await {
                tracing::warn!(job = %job.id, error = %Causes(&error), "notes could not be recorded");
            }
        }
        if is_open {
            self.keep_for_tickets(&job.id, &ways).await;
        }
        self.over(&job.id, self.registry.period(&job.id));
    }
}
