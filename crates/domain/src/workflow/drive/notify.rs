//! What the loop notifies the observers of.

use super::work::{Drive, ItemWork};
use crate::model::ItemRef;
use crate::ports::{ApiError, Event, ExportState, ExportStatus, ItemStage, Receipt};
use crate::workflow::item::{Action, ItemFailure, Seen};

pub(super) fn error_of(seen: &Seen) -> Option<&ApiError> {
    match seen {
        Seen::StartFailed(error)
        | Seen::StatusFailed(error)
        | Seen::DownloadFailed(error)
        | Seen::CancelFailed(error)
        | Seen::DeleteFailed(_, error) => Some(error),
        Seen::Started { .. }
        | Seen::NotYet
        | Seen::Found(_)
        | Seen::CannotFind(_)
        | Seen::Status(_)
        | Seen::Stored(_)
        | Seen::Damaged(_)
        | Seen::Cancelled
        | Seen::Deleted(_) => None,
    }
}

pub(super) fn stage_of(seen: &Seen) -> Option<ItemStage> {
    match seen {
        Seen::Started { status, .. } | Seen::Status(status)
            if status.state() == ExportState::Running =>
        {
            Some(ItemStage::Waiting {
                percent: percent_of(status),
                message: status.message.clone(),
            })
        }
        Seen::Started { status, .. } | Seen::Status(status)
            if status.state() == ExportState::Complete =>
        {
            Some(ItemStage::Ready)
        }
        Seen::Stored(receipt) => Some(ItemStage::Stored {
            bytes: receipt.bytes,
        }),
        _ => None,
    }
}

fn percent_of(status: &ExportStatus) -> Option<u8> {
    status
        .percentage
        .and_then(|percent| u8::try_from(percent).ok())
        .filter(|percent| *percent <= 100)
}

/// Why something is tried again.
pub(super) fn reason_of(seen: &Seen) -> Option<String> {
    match seen {
        Seen::Damaged(failure) => Some(failure.to_string()),
        other => error_of(other).map(ToString::to_string),
    }
}

pub(super) fn notify_failure(drive: Drive<'_>, item: &ItemWork, failure: &ItemFailure) {
    notify_stage(
        drive,
        item,
        ItemStage::Failed {
            reason: failure.message.clone(),
        },
    );
}

/// Notifies of where an item is now, or why it has to wait.
pub(super) fn notify(
    drive: Drive<'_>,
    item: &ItemWork,
    stage: Option<ItemStage>,
    reason: Option<String>,
) {
    let elapsed = drive.ports.clock.elapsed();
    if let Some(stage) = stage {
        notify_stage(drive, item, stage);
    } else if let (Some(reason), Action::WaitUntil(moment)) = (reason, item.machine.next(elapsed)) {
        let wait = moment.saturating_sub(elapsed);
        drive.ports.progress.on(&Event::Retry {
            what: format!("{} `{}`", item.machine.item(), item.name),
            attempt: item.machine.attempts(),
            reason,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

pub(super) fn notify_stage(drive: Drive<'_>, item: &ItemWork, stage: ItemStage) {
    drive.ports.progress.on(&Event::Item {
        item: item.machine.item(),
        name: item.name.clone(),
        stage,
    });
}

/// Notifies of an archive that an interrupted run stored.
pub(super) fn notify_resumed(drive: Drive<'_>, item: ItemRef, name: &str, receipt: &Receipt) {
    drive.ports.progress.on(&Event::Item {
        item,
        name: name.to_owned(),
        stage: ItemStage::Resumed {
            bytes: receipt.bytes,
        },
    });
}
