//! What the platform says of a ticket and of its status.

use std::time::Duration;

use crate::document::{Element, flag, number, text};
use crate::scenario::{Ending, ItemKind};

use super::data::encoded;
use super::tickets::{Phase, Ticket};

const FAILED: &str = "The export failed: the repository of the appliance cannot be read";
const TRACE: &str = "com.usharesoft.export.ExportException: no space left in /var/forge\n\tat ExportJob.run(ExportJob.java:211)";

fn item_uri(ticket: &Ticket) -> String {
    let order = &ticket.order;
    let collection = if order.kind == ItemKind::Appliance {
        "appliances"
    } else {
        "mysoftware"
    };
    format!(
        "users/{}/{collection}/{}",
        encoded(&order.owner),
        order.item
    )
}

/// Where the ticket is: what a status calls its parent.
pub(super) fn uri(ticket: &Ticket) -> String {
    format!("{}/exports/{}", item_uri(ticket), ticket.id)
}

/// The `applianceExport` or `softwareBundleExport` document.
pub(super) fn ticket_document(ticket: &Ticket, elapsed: Duration) -> Element {
    let order = &ticket.order;
    let (root, name, version) = match order.kind {
        ItemKind::Appliance => ("applianceExport", "applianceName", "applianceVersion"),
        _ => ("softwareBundleExport", "bundleName", "bundleVersion"),
    };
    let created = ticket.created.to_string();
    let mut fields = vec![
        text("created", created.clone()),
        number("dbId", ticket.id),
        text("lastModified", created),
        text(name, order.name.as_str()),
        text(version, order.version.as_str()),
        text("downloadUri", format!("{}/downloads", uri(ticket))),
    ];
    if order.kind == ItemKind::Appliance {
        fields.push(flag("downloaded", ticket.downloads > 0));
    }
    fields.extend([
        text("parentUri", item_uri(ticket)),
        status(ticket, elapsed),
        text("uri", uri(ticket)),
    ]);
    Element::object(root, fields)
}

/// The `status` document.
pub(super) fn status(ticket: &Ticket, elapsed: Duration) -> Element {
    let phase = ticket.phase(elapsed);
    let mut fields = outcome(phase);
    fields.extend([
        text("message", message(phase)),
        text("parentUri", uri(ticket)),
    ]);
    fields.extend(
        ticket
            .percentage(elapsed)
            .map(|percentage| number("percentage", percentage)),
    );
    fields.push(text("uri", format!("{}/status", uri(ticket))));
    Element::object("status", fields)
}

/// What an `OpStatus` says before its message.
fn outcome(phase: Phase) -> Vec<Element> {
    use Ending::{Cancelled, DetailedError, Error, ErrorAndComplete};
    let error = matches!(
        phase,
        Phase::Failed(Error | ErrorAndComplete | DetailedError)
    );
    let detailed = phase == Phase::Failed(DetailedError);
    let complete = matches!(phase, Phase::Complete | Phase::Failed(ErrorAndComplete));
    let cancelled = matches!(phase, Phase::Cancelled | Phase::Failed(Cancelled));
    let mut fields = vec![
        flag("cancelled", cancelled),
        flag("complete", complete),
        flag("detailedError", detailed),
    ];
    fields.extend(detailed.then(|| text("detailedErrorMsg", TRACE)));
    fields.push(flag("error", error));
    fields.extend(error.then(|| text("errorMessage", FAILED)));
    fields
}

fn message(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued => "Waiting",
        Phase::Running(share) if share < 0.5 => "Exporting the template",
        Phase::Running(_) => "Creating the archive",
        Phase::Complete => "Export complete",
        Phase::Failed(Ending::Cancelled) | Phase::Cancelled => "Cancelled",
        Phase::Failed(_) => "Failed",
    }
}
