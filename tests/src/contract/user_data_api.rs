//! The promises of [`UserDataApi`], held against a platform with the sandbox's demo data.

use std::future::Future;
use std::pin::Pin;

use domain::model::{
    BinaryRef, ItemRef, ListResource, ObjectId, OutputFormat, Page, PartKind, PartRef,
    Representation, Resource, Sha256, Ticket,
};
use domain::ports::{
    ApiError, Download, ExportState, ExportStatus, OpenTicket, ResumeAt, UserDataApi,
};
use domain::testing::{appliance, mysoftware};
use futures_util::StreamExt as _;

/// How a suite lets time pass.
pub type Pause<'a> = &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync);

/// What the platform behind an implementation has.
#[derive(Clone, Copy, Debug)]
pub struct Has {
    /// The user's photo.
    pub photo: BinaryRef,
    /// Whether every list has an object.
    pub filled_lists: bool,
    /// Whether the rest of an archive can be asked for.
    pub ranges: bool,
}

/// Every promise, one after the other.
pub async fn every_promise(api: &dyn UserDataApi, has: Has, pause: Pause<'_>) {
    the_platform_says_its_version(api).await;
    facts_come_with_the_xml(api).await;
    facts_come_without_the_document(api).await;
    every_list_can_be_read(api, has.filled_lists).await;
    what_is_not_there_is_not_found(api).await;
    a_file_comes_as_bytes(api, has.photo).await;
    the_parts_of_an_item_come_from_their_list(api).await;
    an_export_runs_its_course(api, pause).await;
    a_download_before_the_end_fails(api).await;
    a_download_starts_where_it_is_said_to(api, has.ranges, pause).await;
    a_cancelled_export_has_no_archive(api).await;
    open_tickets_and_their_statuses_are_listed(api).await;
    the_list_says_when_a_ticket_was_made_and_whether_it_was_downloaded(api, pause).await;
}

async fn listed(api: &dyn UserDataApi, ticket: Ticket) -> OpenTicket {
    let open = api.open_tickets().await.expect("a list");
    let mut found = open.into_iter().filter(|open| open.ticket == ticket);
    found.next().expect("it is listed")
}

/// The list of open tickets says of each when it was made and whether its archive was downloaded.
pub async fn the_list_says_when_a_ticket_was_made_and_whether_it_was_downloaded(
    api: &dyn UserDataApi,
    pause: Pause<'_>,
) {
    let started = api.start_export(appliance(201), OutputFormat::Yaml).await;
    let first = started.expect("a ticket").ticket;
    finished(api, first, pause).await;
    let before = listed(api, first).await;
    assert!(before.created.is_some() && !before.downloaded, "{before:?}");
    body(api.download(first, None).await.expect("an archive")).await;
    let after = listed(api, first).await;
    assert!(after.downloaded, "{after:?}");
    assert_eq!(after.created, before.created);
    pause().await;
    let started = api.start_export(appliance(202), OutputFormat::Yaml).await;
    let second = started.expect("a ticket").ticket;
    let later = listed(api, second).await;
    assert!(
        later.created > before.created && !later.downloaded,
        "{later:?}"
    );
    for ticket in [first, second] {
        let _ = api.cancel_export(ticket).await;
        api.delete_export(ticket).await.expect("deleted");
    }
}

/// It says that it is there, and its version.
pub async fn the_platform_says_its_version(api: &dyn UserDataApi) {
    assert!(
        api.platform()
            .await
            .expect("a platform")
            .version
            .is_some_and(|version| version.starts_with("3.8"))
    );
}

/// Facts are read from XML; JSON is bytes only.
pub async fn facts_come_with_the_xml(api: &dyn UserDataApi) {
    let list = Resource::List(ListResource::Appliances, Page::Whole);
    let xml = api
        .document(list, Representation::Xml)
        .await
        .expect("a document");
    assert_eq!(xml.media_type, "application/xml");
    assert!(
        xml.bytes.starts_with(b"<?xml")
            && xml.request.ends_with("/appliances")
            && !xml.request.contains('?')
    );
    assert!(xml.facts.objects.len() > 2);
    assert!(
        xml.facts
            .objects
            .iter()
            .all(|object| object.id.is_some_and(|id| id > 0) && object.name.is_some())
    );
    let json = api
        .document(list, Representation::Json)
        .await
        .expect("a document");
    assert!(
        json.media_type == "application/json"
            && json.bytes.starts_with(b"{")
            && json.facts.objects.is_empty()
    );
}

/// What is read of a document that is not kept is what is read of the document itself.
pub async fn facts_come_without_the_document(api: &dyn UserDataApi) {
    for what in [
        Resource::User,
        Resource::List(ListResource::Appliances, Page::Whole),
    ] {
        let document = api.document(what, Representation::Xml).await;
        let document = document.expect("a document");
        let read = api.facts(what).await.expect("its facts");
        assert_eq!(read.facts, document.facts);
        assert_eq!(read.sha256, Sha256::of(&document.bytes));
    }
    let missing = Resource::Item(appliance(999_999));
    let refused = api.facts(missing).await;
    assert!(
        matches!(refused, Err(ApiError::NotFound { .. })),
        "{refused:?}"
    );
}

/// Every list of the table can be read.
pub async fn every_list_can_be_read(api: &dyn UserDataApi, filled: bool) {
    use ListResource::{
        Accounts, Activities, ApiKeys, Appliances, ArtifactAccounts, Blueprints, Deployments,
        Exports, Images, Imports, Migrations, MySoftware, Orgs, PublishedImages, Quotas, Roles,
        ScannedInstances, Scans, SshKeys, Stats, Usage, Workspaces,
    };
    for list in [
        Appliances,
        MySoftware,
        Accounts,
        ArtifactAccounts,
        ApiKeys,
        SshKeys,
        Workspaces,
        Orgs,
        Roles,
        Quotas,
        Usage,
        Stats,
        Images,
        PublishedImages,
        Imports,
        Exports,
        Scans,
        ScannedInstances,
        Migrations,
        Deployments,
        Blueprints,
    ] {
        let answer = api
            .document(Resource::List(list, Page::Whole), Representation::Xml)
            .await;
        let document = answer.unwrap_or_else(|error| panic!("{list:?}: {error}"));
        assert!(!document.facts.objects.is_empty() || !filled, "{list:?}");
    }
    api.document(Resource::List(Activities, Page::Whole), Representation::Xml)
        .await
        .expect("a document");
}

/// What is not there is not found.
pub async fn what_is_not_there_is_not_found(api: &dyn UserDataApi) {
    let error = api
        .document(Resource::Item(appliance(999_999)), Representation::Xml)
        .await
        .expect_err("an error");
    assert!(matches!(error, ApiError::NotFound { .. }), "{error}");
    let nobody = api.document(
        Resource::CloudAccount(ObjectId::parse("999999").expect("an id")),
        Representation::Json,
    );
    assert!(matches!(
        nobody.await.expect_err("an error"),
        ApiError::NotFound { .. }
    ));
    let error = api
        .start_export(appliance(999_999), OutputFormat::Yaml)
        .await
        .expect_err("an error");
    assert!(matches!(error, ApiError::NotFound { .. }), "{error}");
}

/// A file comes whole, from its start, and one that is not there is not found.
pub async fn a_file_comes_as_bytes(api: &dyn UserDataApi, photo: BinaryRef) {
    let download = api.binary(photo).await.expect("a photo");
    assert_eq!(download.starts_at, 0);
    assert!(download.media_type.starts_with("image/"), "{download:?}");
    assert!(!download.request.contains('?'), "{download:?}");
    let length = download.length;
    let bytes = body(download).await;
    assert!(!bytes.is_empty());
    assert!(length.is_none_or(|length| length == bytes.len() as u64));
    let nobody = BinaryRef::Photo(ObjectId::parse("999999").expect("an id"));
    let error = api.binary(nobody).await.expect_err("an error");
    assert!(matches!(error, ApiError::NotFound { .. }), "{error}");
}

fn part(item: ItemRef, path: &str, ids: &[ObjectId]) -> PartRef {
    let kind = PartKind::all(item.kind).find(|kind| kind.below_item() == path);
    PartRef::new(item, kind.expect("a kind"), ids).expect("as many ids")
}

/// A list below an item says which objects there are, and their files come as they are.
pub async fn the_parts_of_an_item_come_from_their_list(api: &dyn UserDataApi) {
    let shop = appliance(201);
    let list = Resource::Part(part(shop, "bootscripts", &[]), Page::Whole);
    let answer = api.document(list, Representation::Xml).await;
    let objects = answer.expect("a list").facts.objects;
    let id = objects.first().and_then(|script| script.id);
    let id = ObjectId::try_from(id.expect("an id")).expect("a valid id");
    let single = Resource::Part(part(shop, "bootscripts/{bsid}", &[id]), Page::Whole);
    let answer = api.document(single, Representation::Xml).await;
    let facts = answer.expect("a document").facts.objects;
    assert_eq!(facts.first().and_then(|script| script.id), Some(id.get()));
    let file = BinaryRef::Part(part(shop, "bootscripts/{bsid}/bin", &[id]));
    let file = body(api.binary(file).await.expect("a file")).await;
    assert!(file.starts_with(b"#!/bin/sh"), "{file:?}");
    let unknown = ObjectId::parse("999999").expect("an id");
    let unknown = Resource::Part(part(shop, "bootscripts/{bsid}", &[unknown]), Page::Whole);
    let error = api.document(unknown, Representation::Xml).await;
    let error = error.expect_err("an error");
    assert!(matches!(error, ApiError::NotFound { .. }), "{error}");
}

async fn body(mut download: Download) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = download.body.next().await {
        bytes.extend_from_slice(&chunk.expect("a chunk"));
    }
    bytes
}

/// An archive comes from where it is asked for, or whole: what `starts_at` says is true, and an archive that is no more the same is
/// never continued.
pub async fn a_download_starts_where_it_is_said_to(
    api: &dyn UserDataApi,
    ranges: bool,
    pause: Pause<'_>,
) {
    const OFFSET: u64 = 10;
    let started = api.start_export(appliance(201), OutputFormat::Yaml).await;
    let ticket = started.expect("a ticket").ticket;
    assert_eq!(
        finished(api, ticket, pause).await.state(),
        ExportState::Complete
    );
    let download = api.download(ticket, None).await.expect("an archive");
    assert_eq!(download.validator.is_some(), ranges, "{download:?}");
    let validator = download.validator.clone();
    let whole = body(download).await;
    for (validator, may_continue) in [
        (validator.clone(), ranges),
        (Some("\"another\"".to_owned()), false),
    ] {
        let from = validator.map(|validator| ResumeAt {
            offset: OFFSET,
            validator,
        });
        let rest = api.download(ticket, from).await.expect("an archive");
        assert_eq!(rest.starts_at, if may_continue { OFFSET } else { 0 });
        let expected = usize::try_from(rest.starts_at).expect("few bytes");
        assert_eq!(body(rest).await, whole.get(expected..).unwrap_or_default());
    }
    api.delete_export(ticket).await.expect("deleted");
}

/// A cancelled appliance ends without an archive; for software the call does nothing, and is no error.
pub async fn a_cancelled_export_has_no_archive(api: &dyn UserDataApi) {
    let started = api.start_export(appliance(202), OutputFormat::Yaml).await;
    let ticket = started.expect("a ticket").ticket;
    // It may have ended meanwhile: then there is nothing to cancel.
    if api.cancel_export(ticket).await.is_ok() {
        let status = api.export_status(ticket).await.expect("a status");
        if status.state() != ExportState::Complete {
            assert_eq!(status.state(), ExportState::Cancelled);
            assert!(api.download(ticket, None).await.is_err());
        }
    }
    api.delete_export(ticket).await.expect("deleted");
    let started = api.start_export(mysoftware(301), OutputFormat::Yaml).await;
    let ticket = started.expect("a ticket").ticket;
    api.cancel_export(ticket).await.expect("nothing to do");
    api.delete_export(ticket).await.expect("deleted");
}

async fn finished(api: &dyn UserDataApi, ticket: Ticket, pause: Pause<'_>) -> ExportStatus {
    for _ in 0..2_000 {
        let status = api.export_status(ticket).await.expect("a status");
        if status.state() != ExportState::Running {
            return status;
        }
        pause().await;
    }
    panic!("{ticket} never ends");
}

/// An export of each kind goes from its start to its deletion.
pub async fn an_export_runs_its_course(api: &dyn UserDataApi, pause: Pause<'_>) {
    for item in [appliance(201), mysoftware(301)] {
        assert!(api.may_start(item).await);
        let started = api
            .start_export(item, OutputFormat::Yaml)
            .await
            .expect("a ticket");
        let ticket = started.ticket;
        assert_eq!(ticket.item, item);
        assert_eq!(
            finished(api, ticket, pause).await.state(),
            ExportState::Complete
        );
        let mut first = Vec::new();
        for body in [&mut first, &mut Vec::new()] {
            let mut download = api.download(ticket, None).await.expect("an archive");
            assert_eq!(download.starts_at, 0);
            while let Some(chunk) = download.body.next().await {
                body.extend_from_slice(&chunk.expect("a chunk"));
            }
            assert!(body.starts_with(&[0x1f, 0x8b]), "a gzip stream");
        }
        api.delete_export(ticket).await.expect("deleted");
        api.delete_export(ticket)
            .await
            .expect("a ticket that is gone already is deleted");
        let gone = api
            .download(ticket, None)
            .await
            .expect_err("nothing to download");
        assert!(
            gone.http_status().is_some_and(|status| status >= 400),
            "{gone}"
        );
    }
}

/// An archive cannot be had before it is complete.
pub async fn a_download_before_the_end_fails(api: &dyn UserDataApi) {
    let started = api
        .start_export(appliance(202), OutputFormat::Yaml)
        .await
        .expect("a ticket");
    if started.status.state() == ExportState::Running {
        assert!(api.download(started.ticket, None).await.is_err());
    }
    // It may have ended meanwhile, and then there is nothing to cancel.
    let _ = api.cancel_export(started.ticket).await;
    api.delete_export(started.ticket).await.expect("deleted");
}

/// Open tickets are listed, and one request gives the statuses of many.
pub async fn open_tickets_and_their_statuses_are_listed(api: &dyn UserDataApi) {
    let mut tickets = Vec::new();
    for id in [201, 202, 203] {
        tickets.push(
            api.start_export(appliance(id), OutputFormat::Json)
                .await
                .expect("a ticket")
                .ticket,
        );
    }
    let open: Vec<Ticket> = api
        .open_tickets()
        .await
        .expect("a list")
        .into_iter()
        .map(|found| found.ticket)
        .collect();
    assert!(tickets.iter().all(|ticket| open.contains(ticket)));
    let listed: Vec<Ticket> = api
        .export_statuses(&tickets)
        .await
        .expect("statuses")
        .into_iter()
        .map(|(t, _)| t)
        .collect();
    assert!(
        tickets.iter().all(|ticket| listed.contains(ticket)),
        "{listed:?}"
    );
    for ticket in tickets {
        let _ = api.cancel_export(ticket).await;
        api.delete_export(ticket).await.expect("deleted");
    }
}
