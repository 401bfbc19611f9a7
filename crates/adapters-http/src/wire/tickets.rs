//! Export tickets and their statuses (docs/platform.md#the-export-workflow).

use domain::model::{ExportId, ItemKind, ItemRef, ObjectId, Ticket};
use domain::ports::{ExportStatus, OpenTicket, Started};
use roxmltree::Node;

use super::Unread;
use super::address::id_after;
use super::error::plain;
use super::facts::items;
use super::xml::{child, count, flag, instant, number, parse, root, text, word};

/// The ticket in the answer to a start.
pub(crate) fn started(bytes: &[u8], item: ItemRef) -> Result<Started, Unread> {
    let document = parse(bytes)?;
    let name = match item.kind {
        ItemKind::Appliance => "applianceExport",
        ItemKind::MySoftware => "softwareBundleExport",
    };
    let root = root(&document, &[name])?;
    let id = ticket_id(root)
        .ok_or_else(|| Unread::because("the ticket has no id"))
        .and_then(|id| {
            ExportId::try_from(id)
                .map_err(|error| Unread::Detail(format!("the ticket's id: {error}")))
        })?;
    Ok(Started {
        ticket: Ticket { item, id },
        status: nested_status(root),
    })
}

/// A ticket's id, which its addresses hold as well. Without one, an export that runs could be neither fetched nor taken back.
fn ticket_id(ticket: Node<'_, '_>) -> Option<i64> {
    let addressed = || {
        ["uri", "downloadUri"]
            .iter()
            .find_map(|name| id_after(&word(ticket, name)?, "exports"))
    };
    match word(ticket, "dbId") {
        Some(_) => number(ticket, "dbId"),
        None => addressed(),
    }
}

/// A `status` document.
pub(crate) fn status(bytes: &[u8]) -> Result<ExportStatus, Unread> {
    let document = parse(bytes)?;
    Ok(status_of(root(&document, &["status"])?))
}

/// Of the tickets asked for, those that a `statuses` document knows, each once.
pub(crate) fn statuses(
    bytes: &[u8],
    asked: &[Ticket],
) -> Result<Vec<(Ticket, ExportStatus)>, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &["statuses"])?;
    let mut known: Vec<(Ticket, ExportStatus)> = Vec::new();
    for entry in items(root, "statuses", "status") {
        let named = ["uri", "parentUri"]
            .iter()
            .find_map(|name| ticket_named(&word(entry, name)?, asked));
        if let Some(ticket) = named
            && !known.iter().any(|(other, _)| *other == ticket)
        {
            known.push((ticket, status_of(entry)));
        }
    }
    Ok(known)
}

/// One page of a list of tickets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TicketPage<T> {
    /// Entries, those that cannot be read too.
    pub(crate) entries: u64,
    /// `total`, where sent.
    pub(crate) total: Option<u64>,
    /// Those that can be read.
    pub(crate) tickets: Vec<T>,
}

impl<T> TicketPage<T> {
    /// Reads the entries of a list.
    pub(super) fn of<'a, 'input: 'a>(
        root: Node<'a, 'input>,
        entries: impl Iterator<Item = Node<'a, 'input>>,
        ticket: impl Fn(Node<'a, 'input>) -> Option<T>,
    ) -> Self {
        let mut page = Self {
            entries: 0,
            total: count(root, "total"),
            tickets: Vec::new(),
        };
        for entry in entries {
            page.entries += 1;
            page.tickets.extend(ticket(entry));
        }
        page
    }
}

/// The appliance tickets in an `applianceExports` document. An entry without its id or its appliance is skipped.
pub(crate) fn open_tickets(bytes: &[u8]) -> Result<TicketPage<OpenTicket>, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &["applianceExports"])?;
    let entries = items(root, "applianceExports", "applianceExport");
    Ok(TicketPage::of(root, entries, |entry| {
        Some(OpenTicket {
            ticket: appliance_ticket(entry)?,
            status: nested_status(entry),
            created: instant(entry, "created"),
            downloaded: flag(entry, "downloaded"),
        })
    }))
}

fn appliance_ticket(entry: Node<'_, '_>) -> Option<Ticket> {
    let id = ExportId::try_from(ticket_id(entry)?).ok()?;
    let appliance = ["parentUri", "uri"]
        .iter()
        .find_map(|name| id_after(&word(entry, name)?, "appliances"))?;
    Some(Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::try_from(appliance).ok()?,
        },
        id,
    })
}

/// The asked-for ticket that a URI speaks of: `…/appliances/201/exports/12`, with or without `/status` at its end, or as much of it
/// as names one ticket alone.
fn ticket_named(uri: &str, asked: &[Ticket]) -> Option<Ticket> {
    let appliance = id_after(uri, "appliances");
    let export = id_after(uri, "exports")?;
    let mut matching = asked.iter().filter(|ticket| {
        ticket.id.get() == export && appliance.is_none_or(|id| ticket.item.id.get() == id)
    });
    let only = matching.next()?;
    matching.next().is_none().then_some(*only)
}

pub(super) fn nested_status(ticket: Node<'_, '_>) -> ExportStatus {
    child(ticket, "status").map(status_of).unwrap_or_default()
}

fn status_of(node: Node<'_, '_>) -> ExportStatus {
    let details = [text(node, "errorMessage"), text(node, "detailedErrorMsg")];
    let words: Vec<String> = details.into_iter().flatten().collect();
    ExportStatus {
        complete: flag(node, "complete"),
        error: flag(node, "error") || flag(node, "detailedError"),
        cancelled: flag(node, "cancelled"),
        percentage: number(node, "percentage"),
        bytes_loaded: number(node, "bytesLoaded"),
        bytes_total: number(node, "bytesTotal"),
        message: text(node, "message").map(|words| plain(&words)),
        error_message: (!words.is_empty()).then(|| plain(&words.join(": "))),
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::ExportState;

    use super::*;

    fn ticket(appliance: i64, id: i64) -> Ticket {
        Ticket {
            item: item(ItemKind::Appliance, appliance),
            id: ExportId::try_from(id).unwrap(),
        }
    }

    fn item(kind: ItemKind, id: i64) -> ItemRef {
        ItemRef {
            kind,
            id: ObjectId::try_from(id).unwrap(),
        }
    }

    #[test]
    fn a_start_is_answered_with_a_ticket_and_its_status() {
        let appliance = b"<n:applianceExport xmlns:n='u'><dbId>12</dbId><status><percentage>-1</percentage><message>queued</message></status></n:applianceExport>";
        let answer = started(appliance, item(ItemKind::Appliance, 201)).unwrap();
        assert_eq!(answer.ticket, ticket(201, 12));
        assert_eq!(
            (answer.status.percentage, answer.status.message.as_deref()),
            (Some(-1), Some("queued"))
        );
        let bundle = b"<softwareBundleExport><dbId>3</dbId></softwareBundleExport>";
        let answer = started(bundle, item(ItemKind::MySoftware, 7)).unwrap();
        assert_eq!(answer.status, ExportStatus::default());
    }

    #[test]
    fn a_ticket_without_an_id_of_its_own_is_known_by_its_address() {
        for field in [
            "<uri>users/john/appliances/201/exports/12</uri>",
            "<uri>elsewhere</uri><downloadUri>users/john/appliances/201/exports/12/downloads</downloadUri>",
        ] {
            let sent = format!("<applianceExport><dbId/>{field}</applianceExport>");
            let answer = started(sent.as_bytes(), item(ItemKind::Appliance, 201)).unwrap();
            assert_eq!(answer.ticket, ticket(201, 12), "{field}");
        }
    }

    #[test]
    fn a_ticket_without_a_usable_id_is_unreadable() {
        for xml in [
            "<applianceExport/>",
            "<applianceExport><dbId>0</dbId></applianceExport>",
            "<applianceExport><dbId>-5</dbId></applianceExport>",
            "<applianceExport><dbId>x</dbId></applianceExport>",
            "<status/>",
        ] {
            assert!(
                started(xml.as_bytes(), item(ItemKind::Appliance, 1)).is_err(),
                "{xml}"
            );
        }
    }

    #[test]
    fn an_error_wins_over_complete() {
        for (xml, state) in [
            ("<status/>", ExportState::Running),
            (
                "<status><complete>true</complete></status>",
                ExportState::Complete,
            ),
            (
                "<status><complete>1</complete><cancelled>true</cancelled></status>",
                ExportState::Cancelled,
            ),
            (
                "<status><complete>true</complete><error>true</error></status>",
                ExportState::Error,
            ),
            (
                "<status><complete>true</complete><detailedError>true</detailedError></status>",
                ExportState::Error,
            ),
        ] {
            assert_eq!(status(xml.as_bytes()).unwrap().state(), state, "{xml}");
        }
        let read = status(b"<status><errorMessage>no OS</errorMessage><detailedErrorMsg>profile</detailedErrorMsg></status>").unwrap();
        assert_eq!(read.error_message.as_deref(), Some("no OS: profile"));
    }

    #[test]
    fn statuses_are_matched_by_either_uri() {
        let asked = [ticket(201, 12), ticket(202, 13), ticket(203, 14)];
        let xml = "<statuses><statuses>\
            <status><parentUri>users/john/appliances/201/exports/12</parentUri><percentage>1</percentage></status>\
            <status><uri>http://h/api/users/john/appliances/202/exports/13/status</uri><percentage>2</percentage></status>\
            <status><uri>users/john/exports/14</uri><percentage>3</percentage></status>\
            <status><uri>users/john/exports/14</uri><percentage>4</percentage></status>\
            <status><parentUri>users/john/appliances/999/exports/12</parentUri></status>\
            <status><percentage>5</percentage></status>\
            </statuses></statuses>";
        let known: Vec<_> = statuses(xml.as_bytes(), &asked)
            .unwrap()
            .into_iter()
            .map(|(ticket, status)| (ticket, status.percentage))
            .collect();
        assert_eq!(
            known,
            [
                (asked[0], Some(1)),
                (asked[1], Some(2)),
                (asked[2], Some(3))
            ]
        );
    }

    #[test]
    fn open_tickets_are_those_that_name_id_and_appliance() {
        let xml = "<applianceExports><total>4</total><applianceExports>\
            <applianceExport><created>2026-10-02T08:00:00.000+02:00</created><dbId>12</dbId><downloaded>true</downloaded><parentUri>users/john/appliances/201</parentUri><status><complete>true</complete></status></applianceExport>\
            <applianceExport><dbId>13</dbId><uri>users/john/appliances/202/exports/13</uri></applianceExport>\
            <applianceExport><parentUri>users/john/appliances/201</parentUri></applianceExport>\
            <applianceExport><dbId>14</dbId></applianceExport>\
            </applianceExports></applianceExports>";
        let page = open_tickets(xml.as_bytes()).unwrap();
        assert_eq!((page.entries, page.total), (4, Some(4)));
        let found: Vec<_> = page
            .tickets
            .iter()
            .map(|open| (open.ticket, open.status.complete))
            .collect();
        assert_eq!(found, [(ticket(201, 12), true), (ticket(202, 13), false)]);
        let said: Vec<_> = page
            .tickets
            .iter()
            .map(|open| (open.created, open.downloaded))
            .collect();
        let created = "2026-10-02T06:00:00Z".parse().ok();
        assert!(created.is_some());
        assert_eq!(said, [(created, true), (None, false)]);
    }
}
