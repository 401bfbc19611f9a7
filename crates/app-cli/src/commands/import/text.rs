//! What an import came to, or would come to, in words.

use std::fmt::Write as _;

use domain::model::Section;
use domain::workflow::{ImportOutcome, ImportedObject, ManualSection};
use serde::Serialize;

use crate::render::{Table, count, number, printable};

/// Columns of a table are cut at this width.
const WIDEST: usize = 40;

/// The last line for programs that read the progress.
#[derive(Serialize)]
#[serde(tag = "event", rename = "outcome")]
pub(super) struct OutcomeEvent<'a> {
    #[serde(flatten)]
    outcome: &'a ImportOutcome,
    notes: &'a [String],
}

impl<'a> OutcomeEvent<'a> {
    pub(super) fn of(outcome: &'a ImportOutcome) -> Self {
        Self {
            outcome,
            notes: &outcome.notes,
        }
    }
}

/// What an import would do.
pub(super) fn plan(outcome: &ImportOutcome) -> String {
    let mut table = Table::new(WIDEST);
    table.row(["SECTION", "NAME", "VERSION", "WHAT WOULD BE DONE"]);
    for object in &outcome.imported {
        row(&mut table, object, "it is created");
    }
    rest(&mut table, outcome);
    let heading = heading(outcome, "would be imported");
    format!("{heading}\n\n{table}{}", by_hand(&outcome.manual))
}

/// What an import came to.
pub(super) fn summary(place: &str, outcome: &ImportOutcome) -> String {
    let mut table = Table::new(WIDEST);
    for object in &outcome.imported {
        let words = match &object.uri {
            Some(uri) => format!("imported: {uri}"),
            None => "imported".to_owned(),
        };
        row(&mut table, object, &words);
    }
    rest(&mut table, outcome);
    let heading = heading(outcome, "imported");
    let mut text = format!("{}: {heading}\n{table}", printable(place));
    for note in &outcome.notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    text.push_str(&by_hand(&outcome.manual));
    text
}

fn heading(outcome: &ImportOutcome, done: &str) -> String {
    let mut parts = vec![format!(
        "{} {done}",
        count(number(outcome.imported.len()), "object", "objects")
    )];
    if !outcome.skipped.is_empty() {
        parts.push(format!("{} skipped", outcome.skipped.len()));
    }
    if !outcome.failed.is_empty() {
        parts.push(format!("{} failed", outcome.failed.len()));
    }
    parts.join(", ")
}

fn rest(table: &mut Table, outcome: &ImportOutcome) {
    for skipped in &outcome.skipped {
        row(
            table,
            &skipped.object,
            &format!("skipped: {}", skipped.reason),
        );
    }
    for failed in &outcome.failed {
        row(
            table,
            &failed.object,
            &format!("failed: {}", failed.message),
        );
    }
}

fn row(table: &mut Table, object: &ImportedObject, words: &str) {
    table.row([
        object.section.name(),
        object.name.as_deref().unwrap_or("(no name)"),
        object.version.as_deref().unwrap_or_default(),
        words,
    ]);
}

/// What is not imported, what a person does about it, and where the bag holds it.
fn by_hand(manual: &[ManualSection]) -> String {
    if manual.is_empty() {
        return String::new();
    }
    let mut table = Table::new(WIDEST);
    for found in manual {
        let info = found.section.info();
        table.row([
            info.title,
            &found.count.to_string(),
            &format!("data/{}/", info.name),
            what_to_do(found.section),
        ]);
    }
    format!("\nTo be done by hand, with what the bag holds:\n{table}")
}

/// What a person does on the new platform with a section that is not imported.
fn what_to_do(section: Section) -> &'static str {
    match section {
        Section::Profile => "check name, address and photo of the account",
        Section::CloudAccounts => "enter each account again, with its keys and certificates",
        Section::ArtifactAccounts => "enter the credentials of each repository again",
        Section::ApiKeys => "make new key pairs, and give them to your programs",
        Section::SshKeys => "add each public key again",
        Section::Workspaces => "make each workspace again, and invite its members",
        Section::Organizations | Section::Roles | Section::Quotas => {
            "ask the administrator of the platform"
        }
        Section::Images => "generate the images again from the appliances",
        Section::PublishedImages => "publish the images again",
        Section::Blueprints => "design each blueprint again",
        Section::Appliances | Section::MySoftware => "import it",
        Section::WorkspaceComments
        | Section::Usage
        | Section::Statistics
        | Section::Activities
        | Section::Imports
        | Section::Exports
        | Section::Scans
        | Section::ScannedInstances
        | Section::Migrations
        | Section::Deployments => "nothing: a record of the other platform",
    }
}

#[cfg(test)]
mod tests {
    use domain::workflow::{FailedObject, ImportStage, SkippedObject};

    use super::*;

    fn object(section: Section, name: &str) -> ImportedObject {
        ImportedObject {
            section,
            id: None,
            name: Some(name.to_owned()),
            version: Some("1.0".to_owned()),
            uri: Some("users/john/appliances/7".to_owned()),
        }
    }

    fn outcome() -> ImportOutcome {
        ImportOutcome {
            imported: vec![object(Section::Appliances, "shop")],
            skipped: vec![SkippedObject {
                object: object(Section::MySoftware, "agent"),
                reason: "it is there already".to_owned(),
            }],
            failed: vec![FailedObject {
                object: object(Section::Appliances, "old\u{1b}[2J shop"),
                stage: ImportStage::Bag,
                message: "the bag holds no archive of it".to_owned(),
                is_damaged: false,
            }],
            manual: vec![
                ManualSection {
                    section: Section::CloudAccounts,
                    count: 14,
                },
                ManualSection {
                    section: Section::Usage,
                    count: 3,
                },
            ],
            notes: vec!["import ticket 7 is left".to_owned()],
            is_unfinished: true,
        }
    }

    #[test]
    fn a_summary_reads_like_this() {
        insta::assert_snapshot!(summary(
            "john at https://uforge.example.com/api",
            &outcome()
        ));
    }

    #[test]
    fn a_plan_reads_like_this() {
        insta::assert_snapshot!(plan(&outcome()));
    }

    #[test]
    fn programs_get_the_documented_fields_and_no_others() {
        let json = serde_json::to_value(outcome()).unwrap();
        let keys = |value: &serde_json::Value| {
            let object = value.as_object().unwrap();
            object.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&json), ["failed", "imported", "manual", "skipped"]);
        let item = ["id", "name", "section", "uri", "version"];
        assert_eq!(keys(&json["imported"][0]), item);
        let failed = [
            "id", "message", "name", "section", "stage", "uri", "version",
        ];
        assert_eq!(keys(&json["failed"][0]), failed);
        assert_eq!(json["failed"][0]["stage"], "bag");
        assert_eq!(keys(&json["manual"][0]), ["count", "section"]);
        assert_eq!(json["skipped"][0]["reason"], "it is there already");
    }
}
