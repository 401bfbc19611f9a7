//! Exports that are refused, fail, stand still, or whose answers are lost.

use std::time::Duration;

use std::collections::BTreeSet;

use domain::model::{ItemKind, Section};
use domain::report::{Completeness, Stage};
use tests::kit::{Visit, Visited, small};

fn with_faults(faults: &str) -> String {
    format!(
        r#"
        [[items]]
        kind = "appliance"
        id = 202
        faults = {faults}

        [[items]]
        kind = "software"
        id = 301
        faults = {faults}
        "#
    )
}

async fn both_lost(faults: &str) -> (Visit, Visited) {
    let mut visit = Visit::to(small(&with_faults(faults))).await;
    visit.order.max_wait = Duration::from_mins(1);
    let ended = visit.export().await;
    let missing = ["archive of Appliance 202", "archive of Software 301"];
    assert_eq!(
        ended.missing(&visit),
        BTreeSet::from(missing.map(str::to_owned)),
        "{faults}: {:#?}",
        ended.failures()
    );
    assert_eq!(ended.report().failures.len(), 2, "{:#?}", ended.failures());
    // They hold nothing: there is no reason to leave them there.
    assert_eq!(visit.platform.platform().open_tickets(), []);
    (visit, ended)
}

#[tokio::test]
async fn a_start_that_is_refused_once_is_tried_again() {
    let visit = Visit::to(small(&with_faults(
        "[{ start-refused = { status = 500, times = 1 } }]",
    )))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn a_start_that_is_always_refused_is_a_named_failure() {
    for (status, attempts) in [(500, 5), (400, 1), (403, 1), (404, 1), (409, 1), (503, 8)] {
        let faults = format!("[{{ start-refused = {{ status = {status} }} }}]");
        let (visit, ended) = both_lost(&faults).await;
        for failure in &ended.report().failures {
            assert_eq!(
                (failure.stage, failure.http_status),
                (Stage::Start, Some(status))
            );
            assert_eq!(failure.attempts, attempts, "{status}");
            assert!(
                failure.message.contains(&format!("({status})")),
                "{}",
                failure.message
            );
        }
        let starts = "POST users/*/appliances/202/exports".parse().unwrap();
        assert_eq!(
            visit.platform.platform().count_requests(&starts),
            attempts as usize
        );
    }
}

#[tokio::test]
async fn an_export_that_ends_without_an_archive_is_a_named_failure() {
    for (how, words) in [
        ("error", "could not export it: \""),
        ("error-and-complete", "could not export it: \""),
        ("detailed-error", "could not export it: \""),
        ("cancelled", "was cancelled on the platform"),
    ] {
        let (_, ended) = both_lost(&format!("[{{ ends = {{ how = \"{how}\" }} }}]")).await;
        for failure in &ended.report().failures {
            assert_eq!(failure.stage, Stage::Wait);
            assert!(
                failure.message.contains(words),
                "{how}: {}",
                failure.message
            );
        }
    }
}

#[tokio::test]
async fn odd_percentages_hold_nobody_up() {
    for shown in [
        "{ stuck = -1 }",
        "{ stuck = 10 }",
        "{ stuck = 9223372036854775807 }",
        "\"backwards\"",
        "\"nothing\"",
    ] {
        let visit = Visit::to(small(&with_faults(&format!("[{{ shows = {shown} }}]")))).await;
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn an_export_that_never_completes_is_given_up() {
    for shown in [
        "",
        ", { shows = { stuck = -1 } }",
        ", { shows = { stuck = 10 } }",
        ", { shows = \"backwards\" }",
        ", { shows = \"nothing\" }",
    ] {
        let (_, ended) = both_lost(&format!("[{{ never-completes = {{}} }}{shown}]")).await;
        for failure in &ended.report().failures {
            assert_eq!(failure.stage, Stage::Wait);
            assert!(
                failure
                    .message
                    .contains("made no progress for 1 minute and was given up"),
                "{}",
                failure.message
            );
        }
    }
}

#[tokio::test]
async fn an_export_that_blocks_the_only_slot_does_not_take_the_others_along() {
    for id in [201, 203] {
        let mut scenario = small(&format!(
            r#"
            [[items]]
            kind = "appliance"
            id = {id}
            faults = [{{ never-completes = {{}} }}]
            "#
        ));
        scenario.timing.slots = 1;
        let visit = Visit::to(scenario).await;
        let ended = visit.export().await;
        let missing = format!("archive of Appliance {id}");
        assert_eq!(
            ended.missing(&visit),
            BTreeSet::from([missing]),
            "{:#?}",
            ended.failures()
        );
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_start_leaves_no_ticket_behind() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "POST users/*/appliances/*/exports"
        times = 3
        fault = "lost-answer"
        "#,
    ))
    .await;
    visit.export().await.assert_whole(&visit);
    let starts = "POST users/*/appliances/*/exports".parse().unwrap();
    assert_eq!(visit.platform.platform().count_requests(&starts), 3);
}

#[tokio::test]
async fn a_lost_answer_to_the_start_of_a_bundle_is_reported() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "POST users/*/mysoftware/301/exports"
        fault = "lost-answer"
        "#,
    ))
    .await;
    visit.leaves_tickets("software has no list of tickets");
    let ended = visit.export().await;
    assert_eq!(ended.missing(&visit), BTreeSet::new());
    assert_eq!(ended.report().completeness, Completeness::Complete);
    let wanted = format!("a start of {} 301 was lost", ItemKind::MySoftware);
    assert!(
        ended
            .report()
            .notes
            .iter()
            .any(|note| note.contains(&wanted)),
        "{:?}",
        ended.report().notes
    );
}

#[tokio::test]
async fn starts_whose_answers_are_always_lost_are_a_named_failure_without_a_heap_of_tickets() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "POST users/*/*/*/exports"
        times = "always"
        fault = "lost-answer"
        "#,
    ))
    .await;
    visit.leaves_tickets("software has no list of tickets");
    let ended = visit.export().await;
    let left = visit.platform.platform().open_tickets();
    assert!(left.len() <= 2 * 3, "{left:?}");
    assert!(left.iter().all(|ticket| ticket.item >= 301), "{left:?}");
    assert!(ended.payload().contains_key("archive of Appliance 201"));
}

#[tokio::test]
async fn a_lost_answer_to_a_deletion_does_no_harm() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "DELETE users/*/*/*/exports/*"
        times = 5
        fault = "lost-answer"
        "#,
    ))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn a_ticket_that_cannot_be_deleted_is_named_and_its_data_is_safe() {
    for status in [500, 403, 503] {
        let visit = Visit::to(small(&format!(
            r#"
            [[faults]]
            request = "DELETE users/*/appliances/202/exports/*"
            times = "always"
            fault = {{ refuse = {{ status = {status} }} }}
            "#
        )))
        .await;
        visit.leaves_tickets("it cannot be deleted");
        let ended = visit.export().await;
        assert_eq!(ended.missing(&visit), BTreeSet::new());
        assert_eq!(ended.report().completeness, Completeness::Complete);
        let failure = ended.only_failure();
        assert_eq!(
            (failure.id, failure.stage, failure.http_status),
            (Some(202), Stage::Delete, Some(status))
        );
    }
}

#[tokio::test]
async fn a_status_that_cannot_be_read_costs_only_its_item() {
    for fault in [
        "{ refuse = { status = 500 } }",
        "{ refuse = { status = 404 } }",
        "\"html-login\"",
        "\"doctype\"",
        "\"invalid-utf8\"",
        "\"json-for-xml\"",
        "{ deep-xml = { levels = 10000 } }",
        "{ redirect = { location = \"https://elsewhere.example/\" } }",
    ] {
        let visit = Visit::to(small(&format!(
            r#"
            access = {{ unknown = ["exports/statuses"] }}
            [[faults]]
            request = "GET users/*/appliances/202/exports/*/status"
            times = "always"
            fault = {fault}
            "#
        )))
        .await;
        visit.leaves_tickets("its archive may be complete");
        let ended = visit.export().await;
        let missing = "archive of Appliance 202".to_owned();
        assert_eq!(ended.missing(&visit), BTreeSet::from([missing]), "{fault}");
        assert_eq!(ended.only_failure().id, Some(202), "{fault}");
    }
}

#[tokio::test]
async fn without_the_list_of_statuses_each_is_asked_for() {
    for fault in [
        "{ refuse = { status = 404 } }",
        "{ refuse = { status = 403 } }",
        "{ refuse = { status = 500 } }",
        "\"html-login\"",
        "\"endless-list\"",
        "\"invalid-utf8\"",
    ] {
        let mut visit = Visit::to(small(&format!(
            r#"
            [[faults]]
            request = "GET users/*/exports/statuses"
            times = "always"
            fault = {fault}
            "#
        )))
        .await;
        visit.settings.document_limit_bytes = 500_000;
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn an_answer_to_a_start_that_cannot_be_read_is_looked_up() {
    for fault in [
        "\"html-login\"",
        "\"invalid-utf8\"",
        "{ ids = \"missing\" }",
        "{ ids = \"text\" }",
        "{ damaged = \"empty\" }",
        "{ damaged = { truncated = { after = 40 } } }",
    ] {
        let visit = Visit::to(small(&format!(
            r#"
            [[faults]]
            request = "POST users/*/appliances/202/exports"
            fault = {fault}
            "#
        )))
        .await;
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn without_the_list_of_exports_the_rest_is_exported() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "GET users/*/exports"
        times = "always"
        fault = "html-login"
        [[faults]]
        request = "POST users/*/appliances/202/exports"
        fault = "lost-answer"
        "#,
    ))
    .await;
    visit.leaves_tickets("nothing lists the ticket of a lost start");
    let ended = visit.export().await;
    let missing = ["users/jleaver/exports xml", "users/jleaver/exports json"];
    assert_eq!(
        ended.missing(&visit),
        BTreeSet::from(missing.map(str::to_owned))
    );
    assert_eq!(ended.only_failure().section, Section::Exports);
}
