//! What runs leave in a job's folder: opened to be resumed, given up, or read.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use adapters_archive::{
    LockedRun, OpenError, OpenedRun, ReadError, Replace, RunSettings, Target, UnfinishedPolicy,
    WholeSum, delivered, export_json as read_export_json, find_unfinished, lock_unfinished,
    open_bag, open_run, remove_unfinished,
};
use adapters_http::TrackedStarts;
use domain::bag::verify::RecordedExport;
use domain::model::{Order, SafeName};
use domain::ports::{Clock, Fact, Journal, NoProgress};
use domain::report::Completeness;
use domain::workflow::{Abandoned, Ports, abandon};

use super::failure::of_storage;
use crate::backend::{Exported, LeftOver, Setback};
use crate::causes::Causes;

/// A run that was dropped closes its files within so many times so long.
const UNLOCKED_AFTER: u32 = 40;
const CLOSING: Duration = Duration::from_millis(25);

/// The file of an order's bag.
pub(super) fn file_name(order: &Order) -> String {
    format!("{}.{}", order.bag_name.as_str(), order.format.ending())
}

/// Opens the bag in the job's folder: a new one, or the one that an unfinished run left.
pub(super) async fn open(
    folder: &Path,
    order: &Order,
    clock: &dyn Clock,
) -> Result<OpenedRun, OpenError> {
    let settings = RunSettings {
        target: Target::File {
            path: folder.join(file_name(order)),
            replace: Replace::Refuse,
        },
        format: order.format,
        top: order.bag_name.clone(),
        fingerprint: order.fingerprint(),
        user: order.user.clone(),
        source: order.source.clone(),
        encryption: None,
        whole_sum: WholeSum::None,
        unfinished: UnfinishedPolicy::Resume,
    };
    when_unlocked(clock, || {
        let settings = settings.clone();
        off_the_runtime(folder, move || open_run(settings))
    })
    .await
}

/// A run that was just dropped may still be closing its files.
async fn when_unlocked<T, Work>(clock: &dyn Clock, work: impl Fn() -> Work) -> Result<T, OpenError>
where
    Work: Future<Output = Result<T, OpenError>>,
{
    for _ in 0..UNLOCKED_AFTER {
        match work().await {
            Err(OpenError::Locked { .. }) => clock.sleep(CLOSING).await,
            done => return done,
        }
    }
    work().await
}

/// Whether an unfinished run cannot be resumed, whatever is tried: it has to begin anew.
pub(super) fn is_unresumable(error: &OpenError) -> bool {
    matches!(
        error,
        OpenError::Exists { .. }
            | OpenError::OtherOrder { .. }
            | OpenError::JournalDamaged { .. }
            | OpenError::JournalVersion { .. }
            | OpenError::BagDamaged { .. }
    )
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

async fn unfinished(folder: &Path, clock: &dyn Clock) -> Result<Vec<LockedRun>, OpenError> {
    when_unlocked(clock, || {
        let path = folder.to_owned();
        off_the_runtime(folder, move || {
            let found = find_unfinished(&path).map_err(|source| OpenError::Io {
                action: "look into",
                path,
                source,
            })?;
            let locked = found.into_iter().map(|run| lock_unfinished(&run.path));
            let locked = locked.collect::<Result<Vec<_>, _>>()?;
            Ok(locked.into_iter().flatten().collect())
        })
    })
    .await
}

/// Takes the tickets of unfinished runs in a job's folder off the platform, which a way to sign in leads to.
pub(super) async fn abandon_unfinished(
    folder: &Path,
    api: Option<&TrackedStarts>,
    clock: &dyn Clock,
) -> LeftOver {
    let runs = match unfinished(folder, clock).await {
        Ok(runs) => runs,
        Err(error) => {
            tracing::error!(error = %Causes(&error), "an unfinished run could not be read");
            return LeftOver {
                notes: vec!["export tickets of this run may be left on the platform".to_owned()],
                is_open: true,
            };
        }
    };
    let mut left = LeftOver::default();
    for run in runs {
        if let Some(api) = api {
            let ports = Ports {
                api,
                clock,
                journal: &*run.journal,
                progress: &NoProgress,
            };
            left.notes.extend(abandon_of(ports).await);
        }
        let checkpoint = run.journal.checkpoint();
        left.is_open |= !checkpoint.open.is_empty();
        if api.is_none() {
            left.is_open |= !checkpoint.intents.is_empty();
            let tickets = checkpoint.open.iter();
            left.notes
                .extend(tickets.map(|ticket| format!("{ticket} may be left on the platform")));
        }
    }
    left
}

/// Gives up unfinished runs that cannot be resumed, and removes what they left.
pub(super) async fn give_up_unfinished(
    folder: &Path,
    order: &Order,
    api: &TrackedStarts,
    clock: &dyn Clock,
) {
    abandon_unfinished(folder, Some(api), clock).await;
    let bag = folder.join(file_name(order));
    let removed = off_the_runtime(folder, move || {
        remove_unfinished(&bag)?;
        match std::fs::remove_file(&bag) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OpenError::Io {
                action: "remove",
                path: bag,
                source: error,
            }),
            _ => Ok(()),
        }
    });
    if let Err(error) = removed.await {
        tracing::error!(error = %Causes(&error), "an unfinished run could not be removed");
    }
}

/// Deletes the tickets that a journal knows. Gives a sentence for each that is left.
pub(super) async fn abandon_of(ports: Ports<'_>) -> Vec<String> {
    let abandoned = abandon(ports, BTreeSet::new()).await;
    let left = abandoned.left.iter();
    let left = left.map(|(ticket, error)| format!("{ticket} is left on the platform: {error}"));
    let mut notes: Vec<String> = left.collect();
    let unresolved = abandoned.unresolved.iter();
    notes.extend(unresolved.map(|start| start.note.clone()));
    if ports.api.platform().await.is_ok() {
        close_starts(ports.journal, &abandoned).await;
    }
    notes
}

/// Records what the platform's answers say of starts that were never answered, so that nobody asks again for what cannot be found
/// out. What cannot be recorded is asked for once more.
async fn close_starts(journal: &dyn Journal, abandoned: &Abandoned) {
    for (ticket, _) in &abandoned.left {
        let ticket = *ticket;
        let _ = journal.record(Fact::Started { ticket }).await;
    }
    for start in &abandoned.unresolved {
        let (item, note) = (start.item, start.note.clone());
        let _ = journal.record(Fact::Unresolved { item, note }).await;
    }
    for item in journal.checkpoint().intents {
        let _ = journal.record(Fact::NotStarted { item }).await;
    }
}

/// What a finished bag says of itself.
pub(super) async fn read_report(folder: &Path, name: SafeName) -> Result<Exported, Setback> {
    let path = folder.join(name.as_str());
    let read = tokio::task::spawn_blocking(move || {
        let report = read_export_json(open_bag(&path, None)?)?;
        Ok::<_, ReadError>((report, delivered(open_bag(&path, None)?)?))
    });
    let (report, delivered) = match read.await {
        Ok(Ok((report, delivered))) => (report.unwrap_or_default(), delivered),
        Ok(Err(error)) => return Err(of_storage(&error)),
        Err(error) => return Err(of_storage(&error)),
    };
    let recorded = RecordedExport::read(&*report).unwrap_or_default();
    let completeness = match recorded.outcome.as_deref() {
        Some("complete") => Completeness::Complete,
        _ => Completeness::Partial,
    };
    Ok(Exported {
        name,
        completeness,
        report: report.into(),
        delivered,
    })
}
