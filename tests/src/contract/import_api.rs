//! The promises of [`ImportApi`].

use bytes::Bytes;
use domain::model::{ImportOptions, ImportTicket, ItemKind, OsVersion, Tagging};
use domain::ports::{ApiError, ExportState, ImportApi, ImportTicketFacts, Upload, UploadStopped};
use futures_util::{StreamExt as _, stream};

use super::user_data_api::Pause;

/// Makes an archive of this kind that holds an object of this name.
pub type Archives<'a> = &'a (dyn Fn(ItemKind, &str) -> Vec<u8> + Sync);

const KINDS: [ItemKind; 2] = [ItemKind::Appliance, ItemKind::MySoftware];
const OPTIONS: ImportOptions = ImportOptions {
    tagging: Tagging::Imported,
    overwrite: false,
    os_version: OsVersion::Exact,
};

/// Every promise, one after the other.
pub async fn every_promise(api: &dyn ImportApi, archives: Archives<'_>, pause: Pause<'_>) {
    an_import_runs_its_course(api, archives, pause).await;
    a_conflict_ends_in_an_error(api, archives, pause).await;
    an_upload_that_breaks_off_imports_nothing(api, archives, pause).await;
    open_imports_are_listed(api).await;
}

fn upload(bytes: &[u8]) -> Upload {
    let length = bytes.len() as u64;
    let pieces: Vec<Result<Bytes, UploadStopped>> = bytes
        .chunks(1000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    Upload {
        length,
        body: stream::iter(pieces).boxed(),
    }
}

async fn opened(api: &dyn ImportApi, kind: ItemKind) -> ImportTicket {
    let opened = api.open_import(kind, OPTIONS).await.expect("a ticket");
    assert_eq!(opened.ticket.kind, kind);
    assert_eq!(opened.status.state(), ExportState::Running);
    opened.ticket
}

/// Uploads, and waits for the end.
async fn ended(
    api: &dyn ImportApi,
    ticket: ImportTicket,
    archive: &[u8],
    pause: Pause<'_>,
) -> ImportTicketFacts {
    let mut status = api.upload(ticket, upload(archive)).await.expect("a status");
    while status.state() == ExportState::Running {
        pause().await;
        status = api.import_status(ticket).await.expect("a status");
    }
    let facts = api.import_ticket(ticket).await.expect("a ticket");
    assert_eq!(facts.status.state(), status.state());
    facts
}

/// From the ticket over the upload to the object that it names; then the ticket goes, where it can.
pub async fn an_import_runs_its_course(
    api: &dyn ImportApi,
    archives: Archives<'_>,
    pause: Pause<'_>,
) {
    for (kind, list) in [(KINDS[0], "/appliances/"), (KINDS[1], "/mysoftware/")] {
        let ticket = opened(api, kind).await;
        let before = api.import_ticket(ticket).await.expect("a ticket");
        assert_ne!(before.uploaded, Some(true));
        assert_eq!(before.reference, None);
        let facts = ended(api, ticket, &archives(kind, "course"), pause).await;
        assert_eq!(facts.status.state(), ExportState::Complete, "{facts:?}");
        assert_eq!(facts.uploaded, Some(true));
        let open = api.open_imports().await.expect("a list").into_iter();
        let mut open = open.filter(|open| open.ticket == ticket);
        assert!(open.all(|open| open.uploaded && open.status.complete));
        let reference = facts.reference.expect("an object");
        assert!(reference.contains(list), "{reference}");
        api.delete_import(ticket).await.expect("it is deleted");
        if kind == ItemKind::Appliance {
            let gone = api.import_status(ticket).await;
            assert!(matches!(gone, Err(ApiError::NotFound { .. })), "{gone:?}");
        }
    }
}

/// The same name and version a second time ends in an error, in the platform's words.
pub async fn a_conflict_ends_in_an_error(
    api: &dyn ImportApi,
    archives: Archives<'_>,
    pause: Pause<'_>,
) {
    for kind in KINDS {
        let first = opened(api, kind).await;
        ended(api, first, &archives(kind, "twice"), pause).await;
        let second = opened(api, kind).await;
        let facts = ended(api, second, &archives(kind, "twice"), pause).await;
        assert_eq!(facts.status.state(), ExportState::Error);
        let words = facts.status.error_message.expect("words");
        assert!(words.contains("already exists"), "{words}");
        assert_eq!(facts.reference, None);
        for ticket in [first, second] {
            api.delete_import(ticket).await.expect("it is deleted");
        }
    }
}

/// A body that ends with an error, or too early, is never taken for the whole.
pub async fn an_upload_that_breaks_off_imports_nothing(
    api: &dyn ImportApi,
    archives: Archives<'_>,
    pause: Pause<'_>,
) {
    for kind in KINDS {
        let ticket = opened(api, kind).await;
        let whole = archives(kind, "broken");
        let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
        let broken = Upload {
            length: whole.len() as u64,
            body: stream::iter([Ok(half), Err(UploadStopped)]).boxed(),
        };
        let answer = api.upload(ticket, broken).await;
        let sent = matches!(answer, Err(ApiError::NoAnswer { sent: true, .. }));
        assert!(sent, "{answer:?}");
        for _ in 0..3 {
            pause().await;
            let facts = api.import_ticket(ticket).await.expect("a ticket");
            assert_ne!(facts.status.state(), ExportState::Complete);
            assert_ne!(facts.uploaded, Some(true));
        }
        api.delete_import(ticket).await.expect("it is deleted");
    }
}

/// Appliance tickets are listed until they are deleted; deleting one that is gone is success.
pub async fn open_imports_are_listed(api: &dyn ImportApi) {
    let before = api.open_imports().await.expect("a list");
    let tickets = [
        opened(api, ItemKind::Appliance).await,
        opened(api, ItemKind::Appliance).await,
    ];
    let software = opened(api, ItemKind::MySoftware).await;
    let open = api.open_imports().await.expect("a list");
    let of = |ticket| open.iter().find(|open| open.ticket == ticket);
    for ticket in tickets {
        let open = of(ticket).expect("it is listed");
        assert!(open.created.is_some() && !open.uploaded, "{open:?}");
    }
    assert_eq!(of(software), None);
    for ticket in tickets {
        api.delete_import(ticket).await.expect("it is deleted");
        api.delete_import(ticket).await.expect("it is gone");
    }
    assert_eq!(api.open_imports().await.expect("a list"), before);
}
