use domain::model::{ObjectId, UploadRole};
use domain::ports::ExportState;

use super::*;
use crate::scenario::{
    Damage, Framing, ItemFault, ItemKind as Kind, ItemScenario, Ranges, Scenario, Times,
};

fn port(mut scenario: Scenario) -> InProcess {
    scenario.timing.export_millis = 0;
    InProcess::new(Platform::new(scenario))
}

fn item(kind: ItemKind, id: i64) -> ItemRef {
    ItemRef {
        kind,
        id: ObjectId::try_from(id).unwrap(),
    }
}

async fn received(download: Download) -> (Vec<u8>, Option<ApiError>) {
    let (mut bytes, mut failed) = (Vec::new(), None);
    let mut body = download.body;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(error) => failed = Some(error),
        }
    }
    (bytes, failed)
}

#[tokio::test]
async fn the_workflow_of_an_export_works_without_a_socket() {
    let port = port(Scenario::default());
    assert_eq!(port.platform_version().await, Some("3.8.13".to_owned()));
    for (kind, own) in [
        (ItemKind::Appliance, Kind::Appliance),
        (ItemKind::MySoftware, Kind::Software),
    ] {
        let id = port.platform().items(own)[1];
        let started = port
            .start_export(item(kind, id), OutputFormat::Json)
            .await
            .unwrap();
        assert_eq!(
            port.export_status(started.ticket).await.unwrap().state(),
            ExportState::Complete
        );
        let (bytes, failed) = received(port.download(started.ticket, None).await.unwrap()).await;
        assert!(failed.is_none());
        assert!(
            bytes
                == port
                    .platform()
                    .archive_content(own, id, OutputFormat::Json)
                    .unwrap()
        );
        let known = port.export_statuses(&[started.ticket]).await.unwrap();
        assert_eq!(known.len(), usize::from(kind == ItemKind::Appliance));
        port.delete_export(started.ticket).await.unwrap();
        port.delete_export(started.ticket).await.unwrap();
        assert!(matches!(
            port.export_status(started.ticket).await,
            Err(ApiError::NotFound { .. })
        ));
    }
    assert!(port.platform().open_tickets().is_empty());
    assert_eq!(
        port.open_tickets().await.unwrap().len(),
        1,
        "the other client's"
    );
}

impl InProcess {
    async fn platform_version(&self) -> Option<String> {
        UserDataApi::platform(self).await.unwrap().version
    }
}

#[tokio::test]
async fn documents_come_with_their_facts() {
    let port = port(Scenario::default());
    let list = Resource::List(
        ListResource::Accounts,
        Page::From {
            offset: 0,
            count: 1,
        },
    );
    let accounts = port.document(list, Representation::Xml).await.unwrap();
    assert_eq!(
        accounts.request,
        "GET users/jleaver/accounts?count=1&offset=0"
    );
    assert_eq!(
        (accounts.facts.total, accounts.facts.objects.len()),
        (Some(14), 1)
    );
    let first = &accounts.facts.objects[0];
    assert_eq!(
        (first.id, first.kind.as_deref()),
        (Some(401), Some("CredAccountAws"))
    );
    let certificate = &first.uploads[0];
    assert_eq!(
        (certificate.role, certificate.uploaded),
        (UploadRole::Certificate, true)
    );
    let what = BinaryRef::Certificate {
        account: ObjectId::try_from(401).unwrap(),
        certificate: ObjectId::try_from(certificate.id.unwrap()).unwrap(),
    };
    let (bytes, _) = received(port.binary(what).await.unwrap()).await;
    assert_eq!(Some(Platform::sha256(&bytes)), certificate.sha256);
}

#[tokio::test]
async fn every_list_of_the_domain_is_there_in_both_forms() {
    let port = port(Scenario::default());
    for section in domain::model::Section::ALL {
        let domain::model::SectionKind::List(list) = section.info().kind else {
            continue;
        };
        for form in [Representation::Xml, Representation::Json] {
            let document = port
                .document(Resource::List(list, Page::Whole), form)
                .await
                .unwrap();
            assert!(!document.bytes.is_empty(), "{section}");
        }
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_meaning() {
    let fault = ItemFault::StartRefused {
        status: 500,
        times: Times::Always,
    };
    let port = port(
        Scenario::default().with_item(ItemScenario::new(Kind::Appliance, 202).with_fault(fault)),
    );
    let refused = port
        .start_export(item(ItemKind::Appliance, 202), OutputFormat::Yaml)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ApiError::ServerFault { status: 500, .. }),
        "{refused}"
    );
    let missing = port
        .document(
            Resource::Item(item(ItemKind::Appliance, 999)),
            Representation::Xml,
        )
        .await
        .unwrap_err();
    assert!(
        matches!(missing, ApiError::NotFound { status: 404, .. }),
        "{missing}"
    );
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let fault = ItemFault::Archive {
        damage: Damage::Truncated {
            after: 70_000,
            framing: Framing::Length,
        },
        times: Times::First(1),
    };
    let mut scenario =
        Scenario::default().with_item(ItemScenario::new(Kind::Appliance, 201).with_fault(fault));
    scenario.downloads.ranges = Ranges::Honoured;
    let port = port(scenario);
    let ticket = port
        .start_export(item(ItemKind::Appliance, 201), OutputFormat::Yaml)
        .await
        .unwrap()
        .ticket;
    let first = port.download(ticket, None).await.unwrap();
    let validator = first.validator.clone().unwrap();
    let (mut bytes, failed) = received(first).await;
    assert!(matches!(failed, Some(ApiError::Interrupted { .. })));
    let rest = port
        .download(
            ticket,
            Some(ResumeAt {
                offset: 70_000,
                validator,
            }),
        )
        .await
        .unwrap();
    assert_eq!(rest.starts_at, 70_000);
    bytes.extend(received(rest).await.0);
    assert!(
        bytes
            == port
                .platform()
                .archive_content(Kind::Appliance, 201, OutputFormat::Yaml)
                .unwrap()
    );
}
