//! Import tickets (docs/platform.md#the-import-workflow). Their statuses are those of exports.

use domain::model::{ImportId, ImportTicket, ItemKind};
use domain::ports::{ImportTicketFacts, OpenImport, OpenedImport};
use roxmltree::Node;

use super::Unread;
use super::address::id_after;
use super::facts::items;
use super::tickets::{TicketPage, nested_status};
use super::xml::{child, flag, instant, number, parse, root, word};

/// Root element, and the part of the path before the ticket's id.
fn names(kind: ItemKind) -> (&'static str, &'static str) {
    match kind {
        ItemKind::Appliance => ("applianceImport", "imports"),
        ItemKind::MySoftware => ("softwareBundleImport", "bundleimports"),
    }
}

/// The ticket in the answer to a request for one.
pub(crate) fn import_opened(bytes: &[u8], kind: ItemKind) -> Result<OpenedImport, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &[names(kind).0])?;
    let ticket = ticket(root, kind).ok_or_else(|| Unread::because("the ticket has no id"))?;
    Ok(OpenedImport {
        ticket,
        status: nested_status(root),
    })
}

/// A ticket by its id, which its addresses hold as well.
fn ticket(node: Node<'_, '_>, kind: ItemKind) -> Option<ImportTicket> {
    let addressed = || {
        ["uri", "uploadUri"]
            .iter()
            .find_map(|name| id_after(&word(node, name)?, names(kind).1))
    };
    let id = match word(node, "dbId") {
        Some(_) => number(node, "dbId"),
        None => addressed(),
    };
    Some(ImportTicket {
        kind,
        id: ImportId::try_from(id?).ok()?,
    })
}

/// What a ticket says.
pub(crate) fn import_ticket(bytes: &[u8], kind: ItemKind) -> Result<ImportTicketFacts, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &[names(kind).0])?;
    Ok(ImportTicketFacts {
        status: nested_status(root),
        uploaded: child(root, "uploaded").map(|_| flag(root, "uploaded")),
        reference: word(root, "referenceUri"),
    })
}

/// The tickets in an `applianceImports` document. An entry without its id is skipped.
pub(crate) fn open_imports(bytes: &[u8]) -> Result<TicketPage<OpenImport>, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &["applianceImports"])?;
    let entries = items(root, "applianceImports", "applianceImport");
    Ok(TicketPage::of(root, entries, |entry| {
        Some(OpenImport {
            ticket: ticket(entry, ItemKind::Appliance)?,
            status: nested_status(entry),
            created: instant(entry, "created"),
            uploaded: flag(entry, "uploaded"),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_known_by_its_id_or_its_address() {
        for (kind, xml) in [
            (
                ItemKind::Appliance,
                "<n:applianceImport xmlns:n='u'><dbId>12</dbId></n:applianceImport>",
            ),
            (
                ItemKind::MySoftware,
                "<softwareBundleImport><uri>users/john/bundleimports/12</uri></softwareBundleImport>",
            ),
        ] {
            let opened = import_opened(xml.as_bytes(), kind).unwrap();
            assert_eq!((opened.ticket.kind, opened.ticket.id.get()), (kind, 12));
        }
        for xml in [
            "<applianceImport/>",
            "<applianceImport><dbId>0</dbId></applianceImport>",
            "<softwareBundleImport><dbId>1</dbId></softwareBundleImport>",
        ] {
            assert!(
                import_opened(xml.as_bytes(), ItemKind::Appliance).is_err(),
                "{xml}"
            );
        }
    }

    #[test]
    fn what_a_ticket_says_is_read_as_sent() {
        let xml = "<applianceImport><dbId>1</dbId><status><complete>true</complete></status><uploaded>true</uploaded><referenceUri>https://evil.example/x</referenceUri></applianceImport>";
        let facts = import_ticket(xml.as_bytes(), ItemKind::Appliance).unwrap();
        assert!(facts.status.complete);
        assert_eq!(facts.uploaded, Some(true));
        assert_eq!(facts.reference.as_deref(), Some("https://evil.example/x"));
        let silent = import_ticket(b"<applianceImport/>", ItemKind::Appliance).unwrap();
        assert_eq!(silent, ImportTicketFacts::default());
    }

    #[test]
    fn a_list_of_imports_holds_tickets() {
        let xml = "<applianceImports><total>2</total><applianceImports>\
            <applianceImport><created>2026-10-02T06:00:00Z</created><dbId>5</dbId><uploaded>true</uploaded></applianceImport><applianceImport/>\
            </applianceImports></applianceImports>";
        let page = open_imports(xml.as_bytes()).unwrap();
        assert_eq!(
            (page.entries, page.total, page.tickets.len()),
            (2, Some(2), 1)
        );
        let open = &page.tickets[0];
        assert!(open.created.is_some() && open.uploaded, "{open:?}");
    }
}
