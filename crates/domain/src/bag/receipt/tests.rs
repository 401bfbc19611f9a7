use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bag::verify::RecordedExport;
use crate::model::{Sha256, UserId};

fn delivered() -> Delivered {
    Delivered {
        tagmanifest_sha256: Sha256::of(b"tags"),
        export_json_sha256: Sha256::of(b"export"),
        user: "john".to_owned(),
        source: ReceivedSource {
            url: "https://uforge.example.com/api".to_owned(),
            uforge_version: None,
        },
        tool: ReceivedTool {
            name: "uforge-export".to_owned(),
            version: "1.0.0".to_owned(),
        },
        started: "2026-11-24T01:02:03Z".to_owned(),
        finished: "2026-11-24T01:03:03Z".to_owned(),
        outcome: "complete".to_owned(),
        counts: Counts {
            sections: 2,
            items: 1,
            files: 2,
            bytes: 7,
            failures: 0,
        },
    }
}

fn receipt() -> BagReceipt {
    let file = ReceivedFile {
        name: Some("john.zip".to_owned()),
        bytes: 3,
        sha256: Sha256::of(b"bag"),
    };
    BagReceipt::new(file, delivered(), &UserId::parse("admin").unwrap())
}

fn recorded() -> RecordedExport {
    let file =
        |path: &str, bytes: u64| json!({"path": path, "bytes": bytes, "sha256": Sha256::of(b"")});
    let export_json = json!({
        "format": "uforge-export/1",
        "tool": {"name": "uforge-export", "version": "1.0.0"},
        "source": {"url": "https://uforge.example.com/api", "uforge_version": null},
        "user": "john", "started": "2026-11-24T01:02:03Z", "finished": "2026-11-24T01:03:03Z", "outcome": "complete",
        "sections": [{"name": "profile"}, {"name": "roles"}], "items": [{"id": 1}],
        "files": [file("data/a", 3), file("data/b", 4)], "failures": [],
    });
    RecordedExport::read(export_json.to_string().as_bytes()).unwrap()
}

fn found(recorded: &RecordedExport) -> ReceivedBag<'_> {
    ReceivedBag {
        name: Some("john.zip".to_owned()),
        file: Some((3, Sha256::of(b"bag"))),
        tagmanifest_sha256: Some(Sha256::of(b"tags")),
        export_json_sha256: Some(Sha256::of(b"export")),
        recorded: Some(recorded),
    }
}

#[test]
fn the_document_has_the_fields_of_the_format_in_their_order() {
    let text = String::from_utf8(receipt().to_json()).unwrap();
    let fields = [
        "\"format\": \"uforge-receipt/1\"",
        "\"about\"",
        "\"bag\"",
        "\"tagmanifest_sha256\"",
        "\"export_json_sha256\"",
        "\"user\": \"john\"",
        "\"requested_by\": \"admin\"",
        "\"source\"",
        "\"tool\"",
        "\"started\"",
        "\"finished\"",
        "\"outcome\"",
        "\"counts\"",
    ];
    let places: Vec<_> = fields.map(|field| text.find(field).unwrap()).to_vec();
    assert!(places.is_sorted(), "{text}");
    assert!(text.ends_with("}\n"));
    assert_eq!(BagReceipt::read(text.as_bytes()), Ok(receipt()));
}

#[test]
fn a_bag_that_is_the_one_has_no_difference_under_any_name() {
    let recorded = recorded();
    let same = compare(&receipt(), &found(&recorded));
    assert_eq!((same.differences, same.renamed_from), (vec![], None));
    let mut renamed = found(&recorded);
    renamed.name = Some("copy.zip".to_owned());
    let renamed = compare(&receipt(), &renamed);
    assert_eq!(renamed.differences, []);
    assert_eq!(renamed.renamed_from.as_deref(), Some("john.zip"));
}

#[test]
fn an_unpacked_bag_is_compared_by_its_tag_manifest() {
    let recorded = recorded();
    let mut unpacked = found(&recorded);
    unpacked.file = None;
    let same = compare(&receipt(), &unpacked);
    assert_eq!((same.differences, same.whole_file), (vec![], false));
    unpacked.tagmanifest_sha256 = Some(Sha256::of(b"other"));
    assert_eq!(compare(&receipt(), &unpacked).differences.len(), 1);
}

#[test]
fn each_field_that_differs_is_named() {
    let recorded = recorded();
    let right = serde_json::to_value(receipt()).unwrap();
    for (pointer, wrong, words) in [
        ("/about", json!("It proves everything."), "`about`"),
        ("/bag/bytes", json!(4), "4"),
        ("/bag/sha256", json!(Sha256::of(b"other")), "SHA-256"),
        (
            "/tagmanifest_sha256",
            json!(Sha256::of(b"x")),
            "tagmanifest-sha256.txt",
        ),
        (
            "/export_json_sha256",
            json!(Sha256::of(b"x")),
            "export.json",
        ),
        ("/user", json!("jane"), "`user`"),
        ("/source/url", json!("https://other/api"), "`source`"),
        ("/source/uforge_version", json!("3.8"), "`source`"),
        ("/tool/name", json!("x"), "`tool`"),
        ("/tool/version", json!("2"), "`tool`"),
        ("/started", json!("2026-11-24T01:02:04Z"), "`started`"),
        ("/finished", json!("later"), "`finished`"),
        ("/outcome", json!("partial"), "`outcome`"),
        ("/counts/sections", json!(3), "`counts`"),
        ("/counts/items", json!(3), "`counts`"),
        ("/counts/files", json!(3), "`counts`"),
        ("/counts/bytes", json!(u64::MAX), "`counts`"),
        ("/counts/failures", json!(1), "`counts`"),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = wrong;
        let changed = BagReceipt::read(changed.to_string().as_bytes()).unwrap();
        let differences = compare(&changed, &found(&recorded)).differences;
        assert_eq!(differences.len(), 1, "{pointer}: {differences:?}");
        assert!(differences[0].to_string().contains(words), "{pointer}");
    }
}

#[test]
fn a_bag_without_tag_files_is_another_one() {
    let nothing = ReceivedBag::default();
    assert_eq!(compare(&receipt(), &nothing).differences.len(), 2);
}

#[test]
fn what_is_no_receipt_is_refused_in_words() {
    let right = serde_json::to_value(receipt()).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    for (text, words) in [
        (String::new(), "JSON (line 1)"),
        ("<html>".to_owned(), "JSON"),
        ("[]".to_owned(), "not as a receipt"),
        ("{}".to_owned(), "not as a receipt"),
        (r#"{"format": 1}"#.to_owned(), "not as a receipt"),
        (
            with("/format", json!("uforge-receipt/2")),
            "uforge-receipt/2",
        ),
        (with("/format", json!("\u{1b}[2J".repeat(50))), "\\u{1b}"),
        (
            with("/bag", json!(["john.zip", 3, Sha256::of(b"bag")])),
            "not as a receipt",
        ),
        (with("/bag/bytes", json!(-1)), "not as a receipt"),
        (with("/bag/bytes", json!(1e300)), "not as a receipt"),
        (with("/bag/sha256", json!("abc")), "not as a receipt"),
        (
            with(
                "/bag/sha256",
                json!(Sha256::of(b"bag").to_string().to_uppercase()),
            ),
            "not as a receipt",
        ),
        (with("/counts", json!([1, 2, 3, 4, 5])), "not as a receipt"),
        (with("/user", Value::Null), "not as a receipt"),
        ("[".repeat(LARGEST_RECEIPT_BYTES), "JSON"),
        (" ".repeat(LARGEST_RECEIPT_BYTES + 1), "larger"),
        (
            format!("{}x", serde_json::to_string(&right).unwrap()),
            "JSON",
        ),
    ] {
        let error = BagReceipt::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{text:.80}: {error}");
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(error.len() < 700);
    }
}

#[test]
fn a_field_that_stands_twice_is_no_receipt() {
    let text = String::from_utf8(receipt().to_json()).unwrap();
    let twice = text.replacen('{', "{\"user\": \"jane\",", 1);
    assert!(BagReceipt::read(twice.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_receipt_is_read_as_it_was_written(
        name in proptest::option::of(".{0,40}"), user in ".{1,20}", bytes in any::<u64>(), sums in any::<[u8; 8]>(),
    ) {
        let mut written = receipt();
        written.bag = ReceivedFile { name, bytes, sha256: Sha256::of(&sums) };
        written.user = user;
        prop_assert_eq!(BagReceipt::read(&written.to_json()), Ok(written));
    }

    #[test]
    fn one_changed_digit_of_a_sum_is_found(at in 0..64_usize, digit in 0..16_u32, which in 0..3_usize) {
        let recorded = recorded();
        let pointer = ["/bag/sha256", "/tagmanifest_sha256", "/export_json_sha256"][which];
        let mut changed = serde_json::to_value(receipt()).unwrap();
        let sum = changed.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let other: String = sum.chars().enumerate().map(|(place, old)| {
            if place == at { char::from_digit(digit, 16).unwrap() } else { old }
        }).collect();
        let is_same = other == sum;
        *changed.pointer_mut(pointer).unwrap() = json!(other);
        let changed = BagReceipt::read(changed.to_string().as_bytes()).unwrap();
        prop_assert_eq!(compare(&changed, &found(&recorded)).differences.is_empty(), is_same);
    }
}
