//! Lists that never end, with ids that are none, and names that want to be somewhere else.

use std::collections::BTreeSet;

use domain::model::Section;
use domain::report::Completeness;
use tests::kit::{Visit, small};

fn on(request: &str, fault: &str) -> String {
    format!("[[faults]]\nrequest = \"{request}\"\ntimes = \"always\"\nfault = {fault}\n")
}

#[tokio::test]
async fn pages_without_end_come_to_an_end() {
    for list in ["usage", "scans", "appliances", "exports", "apikeys"] {
        let visit = Visit::to(small(&on(
            &format!("GET users/*/{list}"),
            "\"endless-pages\"",
        )))
        .await;
        let ended = visit.export().await;
        let failure = ended.only_failure();
        assert!(
            failure
                .message
                .contains("the platform says that there are 9223372036854775807, but lists only"),
            "{list}: {}",
            failure.message
        );
        assert_eq!(ended.report().completeness, Completeness::Partial);
        let asked = format!("GET users/*/{list}").parse().unwrap();
        assert!(
            visit.platform.platform().count_requests(&asked) < 20,
            "{list}"
        );
        assert!(
            ended.payload().contains_key("archive of Appliance 203"),
            "{list}"
        );
    }
}

#[tokio::test]
async fn appliances_without_usable_ids_are_named_and_nothing_else_is_lost() {
    for ids in ["missing", "negative", "text"] {
        let visit = Visit::to(small(&on(
            "GET users/*/appliances",
            &format!("{{ ids = \"{ids}\" }}"),
        )))
        .await;
        let ended = visit.export().await;
        assert_eq!(
            ended.report().failures.len(),
            3,
            "{ids}: {:#?}",
            ended.failures()
        );
        for failure in &ended.report().failures {
            assert_eq!(failure.section, Section::Appliances);
            assert!(
                failure.message.contains("without a valid id"),
                "{}",
                failure.message
            );
            assert!(failure.name.is_some());
        }
        let appliances = ended.section(Section::Appliances);
        assert_eq!((appliances.listed, appliances.items), (Some(3), 0));
        assert!(ended.payload().contains_key("archive of Software 302"));
    }
}

#[tokio::test]
async fn ids_that_stand_in_addresses_only_are_enough() {
    let requests = [
        "GET users/*/appliances",
        "GET users/*/mysoftware/*",
        "GET users/*/workspaces",
    ];
    let faults = requests
        .map(|request| on(request, "{ ids = \"in-uri\" }"))
        .concat();
    let visit = Visit::to(small(&faults)).await;
    let ended = visit.export().await;
    assert_eq!(ended.failures(), [""; 0]);
    assert_eq!(ended.report().completeness, Completeness::Complete);
    for archive in ["archive of Appliance 203", "archive of Software 302"] {
        assert!(ended.payload().contains_key(archive), "{archive}");
    }
    assert_eq!(visit.platform.platform().open_tickets(), []);
}

#[tokio::test]
async fn an_id_that_is_listed_twice_is_exported_once() {
    let visit = Visit::to(small(&on(
        "GET users/*/appliances",
        "{ ids = \"duplicate\" }",
    )))
    .await;
    let ended = visit.export().await;
    assert_eq!(ended.report().failures.len(), 2, "{:#?}", ended.failures());
    assert!(
        ended
            .failures()
            .iter()
            .all(|line| line.contains("a second time under the same id"))
    );
    let starts = "POST users/*/appliances/*/exports".parse().unwrap();
    assert_eq!(visit.platform.platform().count_requests(&starts), 1);
}

#[tokio::test]
async fn odd_ids_in_other_lists_are_kept_as_they_are() {
    for ids in ["missing", "negative", "text", "duplicate"] {
        let visit = Visit::to(small(&on(
            "GET users/*/sshkeys",
            &format!("{{ ids = \"{ids}\" }}"),
        )))
        .await;
        let ended = visit.export().await;
        assert_eq!(ended.failures(), [""; 0], "{ids}");
        assert_eq!(ended.section(Section::SshKeys).items, 2, "{ids}");
    }
}

#[tokio::test]
async fn accounts_without_usable_ids_are_named() {
    let visit = Visit::to(small(&on("GET users/*/accounts", "{ ids = \"text\" }"))).await;
    let ended = visit.export().await;
    assert_eq!(ended.report().failures.len(), 3);
    assert_eq!(ended.section(Section::CloudAccounts).items, 0);
}

#[tokio::test]
async fn hostile_names_give_safe_and_unique_paths_and_are_shown_as_they_are() {
    let mut scenario = small("");
    scenario.data.names = sandbox::scenario::Names::Hostile;
    scenario.data.appliances = 24;
    scenario.data.software = 24;
    scenario.data.archive_bytes = 500;
    let visit = Visit::to(scenario).await;
    let ended = visit.export().await;
    ended.assert_whole(&visit);
    let state = ended.sink.state();
    let folded: BTreeSet<String> = state
        .entries
        .keys()
        .map(|path| path.as_str().to_ascii_lowercase())
        .collect();
    assert_eq!(folded.len(), state.entries.len());
    for path in &folded {
        assert!(path.starts_with("data/"), "{path}");
        for part in path.split('/') {
            let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(
                part.chars().all(safe) && part.len() <= 100 && part != ".." && part != ".",
                "{path}"
            );
        }
    }
    let shown: Vec<_> = ended
        .report()
        .items
        .iter()
        .filter_map(|item| item.name.as_deref())
        .collect();
    for name in [
        "case",
        "CASE",
        "../../../etc/passwd",
        "<script>alert('x')</script>",
    ] {
        assert!(
            shown.iter().any(|line| line.trim() == name),
            "{name:?} is not shown: {shown:?}"
        );
    }
}
