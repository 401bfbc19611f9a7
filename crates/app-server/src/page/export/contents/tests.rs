//! Reports in words.

use domain::jobs::BagRecord;
use domain::model::{BagFormat, SafeName, Sha256};
use domain::report::{Completeness, export_json, sample};

use super::picture::{PARTS, WIDE};
use super::*;
use crate::page::words::{ENGLISH, FRENCH};

fn delivered(completeness: Completeness) -> Delivery {
    Delivery {
        ready: jiff::Timestamp::UNIX_EPOCH,
        bag: BagRecord {
            name: SafeName::parse("bag.zip").unwrap(),
            format: BagFormat::Zip,
            bytes: 1,
            sha256: Sha256::of(b""),
            receipt: None,
        },
        completeness,
    }
}

#[test]
fn a_partial_one_names_what_is_missing() {
    let report = sample::partial();
    let delivery = delivered(report.completeness);
    let report = export_json(&report);
    let contents = Contents::of(&ENGLISH, &delivery, &report);
    assert_eq!(contents.verdict, "Partial.");
    let first = &contents.missing[0];
    assert_eq!(first.kind, "Appliances");
    assert!(first.what.contains("did not begin"), "{}", first.what);
    assert!(!first.why.is_empty());
    assert!(contents.rows.iter().any(|row| row.warns));
    let appliances = &contents.rows[1];
    assert!(!appliances.names.is_empty());
    let lost = appliances.names.iter().filter(|of| !of.status.is_empty());
    assert_eq!(lost.count(), 1);
    let in_french = Contents::of(&FRENCH, &delivery, &report);
    assert_eq!(in_french.verdict, "Partiel.");
    assert_eq!(in_french.missing.len(), contents.missing.len());
}

#[test]
fn the_picture_is_as_wide_as_it_may_be_and_shows_the_smallest_part() {
    let mut sizes = BTreeMap::new();
    for (number, section) in Section::ALL.into_iter().enumerate() {
        sizes.insert(section, if number == 0 { 1_000_000_000 } else { 1 });
    }
    let parts = picture(&ENGLISH, &sizes);
    assert_eq!(parts.len(), PARTS);
    assert_eq!(parts.last().unwrap().title, "Others");
    for part in &parts {
        assert!(part.width >= 2 && part.from <= WIDE, "{}", part.title);
    }
    assert!(picture(&ENGLISH, &BTreeMap::new()).is_empty());
}

#[test]
fn a_report_that_cannot_be_read_leaves_the_page_as_it_is() {
    for report in [
        "",
        "[]",
        "{\"sections\": 7}",
        "{\"format\":\"uforge-export/1\"}",
    ] {
        let delivery = delivered(Completeness::Complete);
        let contents = Contents::of(&ENGLISH, &delivery, report.as_bytes());
        assert!(contents.rows.is_empty() && contents.missing.is_empty());
        assert_eq!(contents.verdict, "Complete.");
    }
}

#[test]
fn ten_thousand_losses_are_counted_and_not_all_shown() {
    let failure = serde_json::json!({"section": "appliances", "id": 1, "name": "\u{202e}<b>", "stage": "start", "message": "no"});
    let report = serde_json::json!({ "failures": vec![failure; 10_000] });
    let delivery = delivered(Completeness::Partial);
    let report = report.to_string();
    let contents = Contents::of(&ENGLISH, &delivery, report.as_bytes());
    assert_eq!(contents.missing.len(), SHOWN);
    assert!(contents.more.contains("9800"), "{}", contents.more);
    assert!(!contents.missing[0].name.contains('\u{202e}'));
}
