//! Journals of another form than this program's.

use std::fs;

use domain::model::BagFormat;

use super::{OpenError, OpenedRun, RunSettings, UnfinishedPolicy, open_run};
use crate::journal::FORMAT_VERSION;
use crate::test_kit::Kit;

fn line(number: u64, json: &str) -> String {
    let rest = format!("{number} {number} {json}");
    format!("{:08x} {rest}\n", crc32fast::hash(rest.as_bytes()))
}

/// An unfinished run whose journal says that it has this form.
fn unfinished_of_form(version: u32) -> Kit {
    let kit = Kit::new(BagFormat::Zip);
    let run = kit.open();
    let killed = kit.killed();
    drop(run);
    let path = killed.work().join("journal");
    let journal = fs::read_to_string(&path).unwrap();
    let header = journal.lines().next().unwrap();
    let json = header.splitn(4, ' ').nth(3).unwrap();
    let json = json.replace(
        &format!("\"version\":{FORMAT_VERSION}"),
        &format!("\"version\":{version}"),
    );
    // What follows the header is nothing that this program writes.
    let lines = [line(0, &json), line(1, r#"{"of_another_form":{}}"#)];
    fs::write(&path, lines.concat()).unwrap();
    fs::write(killed.work().join("stage-0"), "what waited").unwrap();
    killed
}

/// Its lines cannot be read, and are no damage for all that: what to do about it differs.
#[test]
fn a_journal_of_another_form_is_refused_by_its_form() {
    for version in [1, FORMAT_VERSION + 1] {
        let kit = unfinished_of_form(version);
        let Err(OpenError::JournalVersion { version: found, .. }) = kit.try_open() else {
            panic!("a journal of form {version} is not read");
        };
        assert_eq!(found, version);
        assert!(kit.work().join("journal").exists());
    }
}

#[tokio::test]
async fn a_run_of_another_form_can_be_begun_anew_and_leaves_nothing() {
    let kit = unfinished_of_form(1);
    let settings = RunSettings {
        unfinished: UnfinishedPolicy::Discard,
        ..kit.settings()
    };
    let OpenedRun::Ready(run) = open_run(settings).unwrap() else {
        panic!("nothing is complete");
    };
    crate::test_kit::Run::from(run).finish().await.unwrap();
    assert_eq!(kit.names().len(), 1);
}
