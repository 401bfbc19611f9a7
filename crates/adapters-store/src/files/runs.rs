//! Runs on this machine's disk, in the folders of [`DiskBags`]. One process has them for itself: their lock is the fence.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adapters_archive::{
    OpenError, OpenedRun as OpenedFile, ReadError, Replace, RunSettings as FileSettings, Target,
    UnfinishedPolicy, WholeSum, delivered, export_json, find_unfinished, lock_unfinished, open_bag,
    open_run,
};
use async_trait::async_trait;
use domain::jobs::{
    BagStore as _, BagStoreError, JobId, KeptBag, Lease, OpenedRun, RunReport, RunSettings,
    RunStore, RunStoreError, RunWriter,
};
use domain::model::SafeName;
use domain::ports::{Clock, Journal, SinkError};

use super::bags::DiskBags;

/// A run that was dropped closes its files within so many times so long.
const UNLOCKED_AFTER: u32 = 40;
const CLOSING: Duration = Duration::from_millis(25);

/// Runs in the folders of [`DiskBags`].
pub struct DiskRuns {
    bags: DiskBags,
    clock: Arc<dyn Clock>,
}

impl DiskRuns {
    /// The runs whose bags are kept here.
    pub fn new(bags: &DiskBags, clock: Arc<dyn Clock>) -> Self {
        Self {
            bags: bags.clone(),
            clock,
        }
    }

    async fn folder(&self, id: &JobId) -> Result<PathBuf, RunStoreError> {
        let folder = self.bags.work_folder(id).await;
        folder.map_err(|error| of_bags(id, error))
    }

    /// A run that was just dropped may still be closing its files.
    async fn when_unlocked<T, Work>(&self, work: impl Fn() -> Work) -> Result<T, OpenError>
    where
        Work: Future<Output = Result<T, OpenError>>,
    {
        for _ in 0..UNLOCKED_AFTER {
            match work().await {
                Err(OpenError::Locked { .. }) => self.clock.sleep(CLOSING).await,
                done => return done,
            }
        }
        work().await
    }
}

/// Work on the disk, off the runtime's own threads.
async fn off_the_runtime<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(OpenError::Io {
            action: "work in",
            path: folder.to_owned(),
            source: std::io::Error::other(error),
        })
    })
}

fn of_bags(id: &JobId, error: BagStoreError) -> RunStoreError {
    match error {
        BagStoreError::Missing { id } => RunStoreError::Missing { id },
        BagStoreError::NoSpace { id } => RunStoreError::NoSpace { id },
        error @ (BagStoreError::Changed { .. } | BagStoreError::Io { .. }) => {
            RunStoreError::Failed {
                id: id.clone(),
                source: Box::new(error),
            }
        }
    }
}

fn of_open(id: &JobId, error: OpenError) -> RunStoreError {
    let id = id.clone();
    match error {
        OpenError::NoSpace { .. } | OpenError::Publish(SinkError::NoSpace { .. }) => {
            RunStoreError::NoSpace { id }
        }
        OpenError::Io { ref source, .. } if is_full(source) => RunStoreError::NoSpace { id },
        // Another process still holds its files; it is about to find out that the job is not its own any more.
        error @ OpenError::Locked { .. } => RunStoreError::Unavailable(Box::new(error)),
        error if is_unresumable(&error) => RunStoreError::Unresumable {
            id,
            source: Box::new(error),
        },
        error => RunStoreError::Failed {
            id,
            source: Box::new(error),
        },
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}

/// Whether an unfinished run cannot be resumed, whatever is tried: it has to begin anew.
fn is_unresumable(error: &OpenError) -> bool {
    matches!(
        error,
        OpenError::Exists { .. }
            | OpenError::OtherOrder { .. }
            | OpenError::JournalDamaged { .. }
            | OpenError::JournalVersion { .. }
            | OpenError::BagDamaged { .. }
    )
}

fn in_folder(folder: &Path, settings: &RunSettings) -> FileSettings {
    FileSettings {
        target: Target::File {
            path: folder.join(settings.file.as_str()),
            replace: Replace::Refuse,
        },
        format: settings.format,
        top: settings.top.clone(),
        fingerprint: settings.fingerprint,
        user: settings.user.clone(),
        source: settings.source.clone(),
        encryption: None,
        whole_sum: WholeSum::None,
        unfinished: UnfinishedPolicy::Resume,
    }
}

#[async_trait]
impl RunStore for DiskRuns {
    async fn open(
        &self,
        lease: &Lease,
        settings: &RunSettings,
    ) -> Result<OpenedRun, RunStoreError> {
        let folder = self.folder(&lease.job).await?;
        let settings = in_folder(&folder, settings);
        let opened = self.when_unlocked(|| {
            let settings = settings.clone();
            off_the_runtime(&folder, move || open_run(settings))
        });
        let opened = opened.await.map_err(|error| of_open(&lease.job, error))?;
        Ok(match opened {
            // Its other files go with the job's folder, and the journal holds the lock.
            OpenedFile::Ready(run) => OpenedRun::Ready {
                sink: run.sink,
                journal: run.journal,
                resumed: run.resumed,
            },
            OpenedFile::AlreadyComplete { run_files, .. } => OpenedRun::Complete {
                journal: run_files.into_journal(),
            },
        })
    }

    async fn unfinished(&self, writer: &RunWriter) -> Result<Vec<Arc<dyn Journal>>, RunStoreError> {
        let folder = self.folder(writer.job()).await?;
        let found = self.when_unlocked(|| {
            let path = folder.clone();
            off_the_runtime(&folder, move || {
                let found = find_unfinished(&path).map_err(|source| OpenError::Io {
                    action: "look into",
                    path,
                    source,
                })?;
                let locked = found.into_iter().map(|run| lock_unfinished(&run.path));
                let locked = locked.collect::<Result<Vec<_>, _>>()?;
                Ok(locked.into_iter().flatten().collect::<Vec<_>>())
            })
        });
        let found = found.await.map_err(|error| of_open(writer.job(), error))?;
        Ok(found.into_iter().map(|run| run.journal).collect())
    }

    async fn discard(&self, writer: &RunWriter) -> Result<(), RunStoreError> {
        let deleted = self.bags.delete(writer.job()).await;
        deleted.map_err(|error| of_bags(writer.job(), error))
    }

    async fn keep(&self, lease: &Lease, file: &SafeName) -> Result<KeptBag, RunStoreError> {
        let kept = self.bags.keep(&lease.job, file).await;
        kept.map_err(|error| of_bags(&lease.job, error))
    }

    async fn is_kept(&self, lease: &Lease, file: &SafeName) -> Result<bool, RunStoreError> {
        let path = self.bags.kept_file(&lease.job, file);
        Ok(tokio::fs::symlink_metadata(&path).await.is_ok())
    }

    async fn report(
        &self,
        lease: &Lease,
        file: &SafeName,
    ) -> Result<Option<RunReport>, RunStoreError> {
        let kept = self.bags.kept_file(&lease.job, file);
        let fresh = self.folder(&lease.job).await?.join(file.as_str());
        let read = tokio::task::spawn_blocking(move || {
            let paths = [fresh, kept];
            let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) else {
                return Ok(None);
            };
            let Some(report) = export_json(open_bag(path, None)?)? else {
                return Ok(None);
            };
            let delivered = delivered(open_bag(path, None)?)?;
            Ok::<_, ReadError>(Some(RunReport {
                export_json: report.into(),
                delivered: delivered.map(Box::new),
            }))
        });
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| RunStoreError::Failed {
            id: lease.job.clone(),
            source,
        };
        let read = read.await.map_err(|error| failed(Box::new(error)))?;
        read.map_err(|error| failed(Box::new(error)))
    }
}
