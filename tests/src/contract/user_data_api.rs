//! The promises of [`UserDataApi`], held against a platform with the sandbox's demo data.

use std::future::Future;
use std::pin::Pin;

use domain::model::{ListResource, ObjectId, OutputFormat, Page, Representation, Resource, Ticket};
use domain::ports::{ApiError, ExportState, ExportStatus, UserDataApi};
use domain::testing::{appliance, mysoftware};
use futures_util::StreamExt as _;

/// How a suite lets time pass.
pub type Pause<'a> = &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync);

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

/// Every list of the table can be read.
pub async fn every_list_can_be_read(api: &dyn UserDataApi) {
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
        assert!(!document.facts.objects.is_empty(), "{list:?}");
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
