//! Data that changes while it is exported.

use domain::model::{BagPath, Section};
use domain::report::Completeness;
use sandbox::OutputFormat;
use sandbox::scenario::ItemKind;
use tests::kit::{Visit, small};

#[tokio::test]
async fn what_appears_during_the_run_is_named() {
    let visit = Visit::to(small(
        r#"
        [[mutations]]
        after = "POST users/*/appliances/*/exports"
        change = { add = { kind = "appliance" } }
        "#,
    ))
    .await;
    let ended = visit.export().await;
    let appliances = ended.section(Section::Appliances);
    assert_eq!(
        (appliances.listed, appliances.recounted),
        (Some(3), Some(4))
    );
    assert_eq!(appliances.appeared.len(), 1);
    assert!(
        appliances.appeared[0].ends_with("(204)"),
        "{:?}",
        appliances.appeared
    );
    assert_eq!(ended.report().completeness, Completeness::Complete);
}

#[tokio::test]
async fn what_vanishes_before_it_could_be_fetched_is_named() {
    let visit = Visit::to(small(
        r#"
        [[mutations]]
        after = "GET users/*/accounts"
        nth = 2
        change = { remove = { kind = "account", id = 402 } }
        "#,
    ))
    .await;
    let ended = visit.export().await;
    let failure = ended.only_failure();
    assert_eq!(
        (failure.section, failure.id, failure.http_status),
        (Section::CloudAccounts, Some(402), Some(404))
    );
    let accounts = ended.section(Section::CloudAccounts);
    assert_eq!(
        (accounts.listed, accounts.recounted, accounts.items),
        (Some(3), Some(2), 2)
    );
    assert_eq!(accounts.vanished.len(), 1);
}

#[tokio::test]
async fn an_appliance_that_vanishes_in_the_middle_leaves_the_rest_whole() {
    let visit = Visit::to(small(
        r#"
        [[mutations]]
        after = "POST users/*/appliances/202/exports"
        change = { remove = { kind = "appliance", id = 202 } }
        "#,
    ))
    .await;
    let ended = visit.export().await;
    let lost: Vec<_> = ended
        .report()
        .failures
        .iter()
        .map(|failure| failure.id)
        .collect();
    assert!(
        !lost.is_empty() && lost.iter().all(|id| *id == Some(202)),
        "{:#?}",
        ended.failures()
    );
    let kept = ended.payload();
    assert!(
        kept.contains_key("archive of Appliance 201")
            && kept.contains_key("archive of Appliance 203")
    );
}

const EDIT: &str = r#"
    [[mutations]]
    after = "GET users/*/appliances/201/exports/*/downloads"
    change = { edit = { kind = "appliance", id = 201 } }
"#;

#[tokio::test]
async fn what_is_edited_during_the_run_is_exported_once_more() {
    let visit = Visit::to(small(EDIT)).await;
    let platform = visit.platform.platform();
    let before = platform.archive_content(ItemKind::Appliance, 201, OutputFormat::Yaml);
    let ended = visit.export().await;
    let after = platform.archive_content(ItemKind::Appliance, 201, OutputFormat::Yaml);
    assert_ne!(before, after);
    assert_eq!(ended.failures(), [""; 0]);
    let report = ended.report();
    let item = report
        .items
        .iter()
        .find(|item| item.id == Some(201))
        .unwrap();
    assert!(!item.changed_during_export);
    let file = |name: &str| {
        let mut paths = item.files.iter().map(BagPath::as_str);
        let path = paths.find(|path| path.ends_with(name));
        ended
            .sink
            .bytes(path.unwrap_or_else(|| panic!("no {name} in {:?}", item.files)))
    };
    assert_eq!(file("/archive.tar.gz"), before);
    assert_eq!(file("/archive-2.tar.gz"), after);
    let newer = platform.document("users/jleaver/appliances/201", sandbox::Representation::Xml);
    assert_eq!(file("/appliance-2.xml"), newer);
    assert_ne!(file("/appliance.xml"), newer);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("changed while it was exported"))
    );
    assert_eq!(platform.open_tickets(), []);
}

#[tokio::test]
async fn what_is_edited_and_cannot_be_exported_again_is_marked() {
    let visit = Visit::to(small(&format!(
        r#"
        {EDIT}
        [[faults]]
        request = "POST users/*/appliances/201/exports"
        first = 2
        times = "always"
        fault = {{ refuse = {{ status = 400 }} }}
        "#
    )))
    .await;
    let ended = visit.export().await;
    let report = ended.report();
    let item = report
        .items
        .iter()
        .find(|item| item.id == Some(201))
        .unwrap();
    assert!(item.changed_during_export);
    assert_eq!(report.completeness, Completeness::Complete);
    assert_eq!(visit.platform.platform().open_tickets(), []);
}
