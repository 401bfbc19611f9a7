use domain::model::{ExportId, ItemKind, ItemRef, ObjectId, OutputFormat, Ticket};
use domain::ports::{ApiError, UserDataApi as _};

use crate::server::{Reply, Server};

pub(crate) fn ticket(kind: ItemKind, item: i64, id: i64) -> Ticket {
    Ticket {
        item: ItemRef {
            kind,
            id: ObjectId::try_from(item).unwrap(),
        },
        id: ExportId::try_from(id).unwrap(),
    }
}

#[tokio::test]
async fn an_export_is_asked_for_without_a_body() {
    let created = Reply::answer(
        "201 Created",
        "Content-Type: application/xml\r\n",
        b"<n:applianceExport xmlns:n='u'><dbId>12</dbId></n:applianceExport>",
    );
    let server = Server::replying([created]).await;
    let wanted = ticket(ItemKind::Appliance, 201, 12);
    let started = server
        .api()
        .start_export(wanted.item, OutputFormat::Yaml)
        .await
        .unwrap();
    assert_eq!(started.ticket, wanted);
    let head = &server.heads()[0];
    assert!(
        head.starts_with(
            "POST /api/users/john/appliances/201/exports?outputFormat=yaml HTTP/1.1\r\n"
        ),
        "{head}"
    );
    assert!(head.contains("content-length: 0\r\n"), "{head}");
}

#[tokio::test]
async fn a_start_that_cannot_be_read_is_not_a_refusal() {
    let item = ticket(ItemKind::Appliance, 201, 1).item;
    for reply in [
        Reply::xml("<applianceExport><dbId>-1</dbId></applianceExport>"),
        Reply::xml("<applianceExport/>"),
    ] {
        let server = Server::replying([reply]).await;
        let result = server.api().start_export(item, OutputFormat::Yaml).await;
        assert!(
            matches!(result, Err(ApiError::Unreadable { .. })),
            "{result:?}"
        );
    }
    let server = Server::replying([Reply::Close(Vec::new())]).await;
    let result = server.api().start_export(item, OutputFormat::Yaml).await;
    assert!(
        matches!(result, Err(ApiError::NoAnswer { sent: true, .. })),
        "{result:?}"
    );
    assert_eq!(
        server.requests().len(),
        1,
        "a start is never repeated by itself"
    );
}

#[tokio::test]
async fn many_tickets_are_asked_about_at_once_but_not_my_software_s() {
    let server = Server::replying([Reply::xml(
        "<statuses><statuses><status><parentUri>users/john/appliances/201/exports/12</parentUri><complete>true</complete></status></statuses></statuses>",
    )])
    .await;
    let api = server.api();
    let appliance = ticket(ItemKind::Appliance, 201, 12);
    let bundle = ticket(ItemKind::MySoftware, 7, 12);
    let known = api.export_statuses(&[appliance, bundle]).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].0, known[0].1.complete), (appliance, true));
    assert!(api.export_statuses(&[bundle]).await.unwrap().is_empty());
    assert_eq!(
        server.requests(),
        ["GET /api/users/john/exports/statuses?ae=users%2Fjohn%2Fappliances%2F201%2Fexports%2F12"]
    );
}

#[tokio::test]
async fn the_list_of_tickets_is_read_to_its_end_and_no_further() {
    let page = |ids: &[i64]| {
        let entry = |id| {
            format!(
                "<applianceExport><dbId>{id}</dbId><parentUri>users/john/appliances/1</parentUri></applianceExport>"
            )
        };
        let entries = ids.iter().map(entry).collect::<Vec<_>>().concat();
        Reply::xml(&format!(
            "<applianceExports><total>5</total><applianceExports>{entries}</applianceExports></applianceExports>"
        ))
    };
    let server = Server::replying([page(&[1, 2, 3]), page(&[3, 4])]).await;
    let ids: Vec<i64> = server
        .api()
        .open_tickets()
        .await
        .unwrap()
        .iter()
        .map(|open| open.ticket.id.get())
        .collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(
        server.requests(),
        [
            "GET /api/users/john/exports",
            "GET /api/users/john/exports?count=500&offset=3"
        ]
    );
    // What cannot be read on one page hides nothing of the next.
    let unreadable = page(&[0, 0]);
    let server = Server::replying([page(&[1, 2]), unreadable, page(&[5])]).await;
    assert_eq!(server.api().open_tickets().await.unwrap().len(), 3);
    let stuck = Server::replying([page(&[1])]).await;
    assert_eq!(stuck.api().open_tickets().await.unwrap().len(), 1);
    assert_eq!(stuck.requests().len(), 2);
}

/// A platform that caps its lists and gives no total would hide the ticket of a lost start behind the first page.
#[tokio::test]
async fn a_list_of_tickets_without_a_total_is_read_to_its_end() {
    let page = |ids: &[i64]| {
        let entry = |id| {
            format!(
                "<applianceExport><dbId>{id}</dbId><parentUri>users/john/appliances/1</parentUri></applianceExport>"
            )
        };
        let entries = ids.iter().map(entry).collect::<Vec<_>>().concat();
        Reply::xml(&format!(
            "<applianceExports><applianceExports>{entries}</applianceExports></applianceExports>"
        ))
    };
    let server = Server::replying([page(&[1, 2]), page(&[3, 4]), page(&[5])]).await;
    assert_eq!(server.api().open_tickets().await.unwrap().len(), 5);
    assert_eq!(server.requests().len(), 3);
    let none = Server::replying([page(&[])]).await;
    assert_eq!(none.api().open_tickets().await.unwrap().len(), 0);
    assert_eq!(none.requests().len(), 1);
    // This one takes no notice of the offset.
    let whole = Server::replying([page(&[1, 2]), page(&[1, 2])]).await;
    assert_eq!(whole.api().open_tickets().await.unwrap().len(), 2);
    assert_eq!(whole.requests().len(), 2);
}

#[tokio::test]
async fn what_is_gone_is_deleted() {
    for status in ["204 No Content", "200 OK", "404 Not Found", "410 Gone"] {
        let server = Server::replying([Reply::answer(status, "", b"")]).await;
        let result = server
            .api()
            .delete_export(ticket(ItemKind::MySoftware, 7, 3))
            .await;
        assert_eq!(result, Ok(()), "{status}");
        assert_eq!(
            server.requests(),
            ["DELETE /api/users/john/mysoftware/7/exports/3"]
        );
    }
    let server = Server::replying([Reply::answer("403 Forbidden", "", b"")]).await;
    let result = server
        .api()
        .delete_export(ticket(ItemKind::Appliance, 7, 3))
        .await;
    assert!(
        matches!(result, Err(ApiError::Forbidden { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_login_page_has_deleted_nothing() {
    let page = Reply::answer("200 OK", "Content-Type: text/html\r\n", b"<html>");
    let server = Server::replying([page]).await;
    let api = server.api();
    let appliance = ticket(ItemKind::Appliance, 7, 3);
    for result in [
        api.delete_export(appliance).await,
        api.cancel_export(appliance).await,
    ] {
        assert!(
            matches!(result, Err(ApiError::NotUForge { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn only_an_appliance_s_export_can_be_cancelled() {
    let server = Server::replying([Reply::answer("204 No Content", "", b"")]).await;
    let api = server.api();
    assert_eq!(
        api.cancel_export(ticket(ItemKind::MySoftware, 7, 3)).await,
        Ok(())
    );
    assert_eq!(
        api.cancel_export(ticket(ItemKind::Appliance, 7, 3)).await,
        Ok(())
    );
    assert_eq!(
        server.requests(),
        ["DELETE /api/users/john/appliances/7/exports/3/status"]
    );
}
