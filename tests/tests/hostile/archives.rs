//! Archives that arrive damaged, and in odd ways.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::model::Section;
use domain::report::Stage;
use tests::kit::{Visit, small};

/// Every way in which an archive of some 6 kB can be damaged.
const DAMAGES: [&str; 10] = [
    "{ bit-flip = { at = 3000 } }",
    "{ bit-flip = { at = 1 } }",
    "{ truncated = { after = 2000, framing = \"length\" } }",
    "{ truncated = { after = 2000, framing = \"chunked\" } }",
    "{ silently-truncated = { after = 2000, framing = \"length\" } }",
    "{ silently-truncated = { after = 2000, framing = \"chunked\" } }",
    "{ silently-truncated = { after = 2000, framing = \"close\" } }",
    "\"html\"",
    "\"empty\"",
    "{ stalled = { after = 1000 } }",
];

/// Short only where it has to pass, and then longer than a busy machine is silent.
fn silence_for(damage: &str) -> Duration {
    Duration::from_secs(if damage.contains("stalled") { 2 } else { 20 })
}

fn damaged(damage: &str, times: &str) -> String {
    format!(
        r#"
        [[items]]
        kind = "appliance"
        id = 202
        faults = [{{ archive = {{ damage = {damage}, times = {times} }} }}]

        [[items]]
        kind = "software"
        id = 301
        faults = [{{ archive = {{ damage = {damage}, times = {times} }} }}]
        "#
    )
}

#[tokio::test]
async fn a_damaged_archive_is_downloaded_again() {
    for damage in DAMAGES {
        for times in ["1", "2"] {
            let visit = Visit::to(small(&damaged(damage, times))).await;
            let visit = visit.with_silence(silence_for(damage));
            let ended = visit.export().await;
            assert_eq!(ended.failures(), [""; 0], "{damage}");
            assert_eq!(ended.missing(&visit), BTreeSet::new(), "{damage}");
        }
    }
}

#[tokio::test]
async fn an_archive_that_stays_damaged_for_one_export_is_exported_anew() {
    let visit = Visit::to(small(&damaged(DAMAGES[0], "4"))).await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn an_archive_that_is_always_damaged_is_a_named_failure_and_never_in_the_bag() {
    for damage in DAMAGES {
        let visit = Visit::to(small(&damaged(damage, "\"always\""))).await;
        let visit = visit.with_silence(silence_for(damage));
        visit.leaves_tickets("the archive may be had in another way");
        let ended = visit.export().await;
        let missing = ["archive of Appliance 202", "archive of Software 301"];
        assert_eq!(
            ended.missing(&visit),
            BTreeSet::from(missing.map(str::to_owned)),
            "{damage}"
        );
        let mut lost: Vec<_> = ended
            .report()
            .failures
            .iter()
            .map(|f| (f.id, f.stage))
            .collect();
        lost.sort_by_key(|(id, _)| *id);
        assert_eq!(
            lost,
            [(Some(202), Stage::Download), (Some(301), Stage::Download)],
            "{damage}"
        );
    }
}

#[tokio::test]
async fn an_archive_that_can_be_fetched_only_once_is_exported_anew() {
    let visit = Visit::to(small(
        r#"
        [[items]]
        kind = "software"
        id = 301
        faults = ["single-download", { archive = { damage = { bit-flip = { at = 1000 } }, times = 1 } }]
        [[items]]
        kind = "appliance"
        id = 201
        faults = ["single-download"]
        "#,
    ))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn a_broken_download_goes_on_where_the_server_takes_ranges() {
    let visit = Visit::to(small(
        r#"
        downloads = { ranges = "honoured" }
        [[items]]
        kind = "appliance"
        id = 202
        faults = [{ archive = { damage = { truncated = { after = 2000 } }, times = 1 } }]
        [[items]]
        kind = "appliance"
        id = 203
        faults = [{ archive = { damage = { silently-truncated = { after = 2000 } }, times = 1 } }]
        "#,
    ))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn an_archive_that_drips_is_given_up() {
    let visit = Visit::to(small(
        r#"
        [[faults]]
        request = "GET users/*/appliances/202/exports/*/downloads"
        times = "always"
        fault = { slow = { bytes-per-second = 40 } }
        "#,
    ))
    .await
    .only([Section::Appliances])
    .with_silence(Duration::from_millis(400));
    visit.leaves_tickets("the archive may be had in another way");
    let ended = visit.export().await;
    let failure = ended.only_failure();
    assert_eq!((failure.id, failure.stage), (Some(202), Stage::Download));
}
