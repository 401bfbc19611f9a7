//! What the platform says of an import ticket and of its status.

use std::time::Duration;

use crate::document::{Element, flag, number, text};
use crate::scenario::{Ending, ItemKind};

use super::data::encoded;
use super::import_tickets::{ImportJob, Stage};

fn list(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Software => "bundleimports",
        ItemKind::Appliance | ItemKind::Account => "imports",
    }
}

/// Where the ticket is.
pub(super) fn uri(job: &ImportJob) -> String {
    format!(
        "users/{}/{}/{}",
        encoded(&job.owner),
        list(job.kind),
        job.id
    )
}

/// The `applianceImport` or `softwareBundleImport` document.
pub(super) fn ticket_document(job: &ImportJob, takes: Duration, elapsed: Duration) -> Element {
    let created = job.created.to_string();
    let mut fields = vec![
        text("created", created.clone()),
        number("dbId", job.id),
        text("lastModified", created),
    ];
    fields.extend(
        job.bytes()
            .map(|bytes| number("size", i64::try_from(bytes).unwrap_or(i64::MAX))),
    );
    fields.extend([
        status(job, takes, elapsed),
        flag("uploaded", job.bytes().is_some()),
    ]);
    let is_appliance = job.kind == ItemKind::Appliance;
    if is_appliance {
        fields.extend([
            flag("useMajor", job.options.has("useMajor")),
            flag("reuseBundles", job.options.has("reuseBundles")),
            flag("force_rw", job.options.has("force")),
            flag("imported", job.options.has("imported")),
        ]);
    }
    fields.push(text("parentUri", format!("users/{}", encoded(&job.owner))));
    fields.extend(
        job.reference
            .as_ref()
            .map(|uri| text("referenceUri", uri.as_str())),
    );
    fields.push(text("uploadUri", format!("{}/uploads", uri(job))));
    if !is_appliance {
        fields.extend([
            text("statusUri", format!("{}/status", uri(job))),
            flag("imported", job.options.has("imported")),
        ]);
    }
    fields.push(text("uri", uri(job)));
    let root = if is_appliance {
        "applianceImport"
    } else {
        "softwareBundleImport"
    };
    Element::object(root, fields)
}

/// The `status` document.
pub(super) fn status(job: &ImportJob, takes: Duration, elapsed: Duration) -> Element {
    use Ending::{Cancelled, DetailedError, ErrorAndComplete};
    let (failed, words) = match &job.stage {
        Stage::Failed { how, words, .. } => (Some(*how), Some(words.as_str())),
        _ => (None, None),
    };
    let is_error = failed.is_some_and(|how| how != Cancelled);
    let is_complete = failed == Some(ErrorAndComplete) || matches!(job.stage, Stage::Made { .. });
    let mut fields = vec![
        flag("cancelled", failed == Some(Cancelled)),
        flag("complete", is_complete),
        flag("detailedError", failed == Some(DetailedError)),
    ];
    fields.extend(
        (failed == Some(DetailedError)).then(|| text("detailedErrorMsg", "at ImportJob.run")),
    );
    fields.push(flag("error", is_error));
    fields.extend(
        words
            .filter(|_| is_error)
            .map(|words| text("errorMessage", words)),
    );
    let (message, percentage) = match &job.stage {
        Stage::Empty => ("Waiting for the archive", 0),
        Stage::Uploaded { at, .. } => ("Importing", percent(elapsed.saturating_sub(*at), takes)),
        Stage::Stuck { .. } => ("Importing", 10),
        Stage::Made { .. } => ("Import complete", 100),
        Stage::Failed { .. } => ("Failed", 55),
    };
    fields.extend([
        text("message", message),
        text("parentUri", uri(job)),
        number("percentage", percentage),
        text("uri", format!("{}/status", uri(job))),
    ]);
    Element::object("status", fields)
}

/// How far a job is that is at work; one that waits for another does not move.
fn percent(since: Duration, takes: Duration) -> i64 {
    let takes = takes.as_millis().max(1);
    i64::try_from((since.as_millis() * 100 / takes).min(90)).unwrap_or(90)
}
