use super::*;
use crate::report::{Views, sample, tag_files};

/// A bag of two payload files and its tag files, as a map to be spoiled.
fn bag() -> BTreeMap<&'static str, Vec<u8>> {
    let (user, archive) = (&b"<user/>"[..], &b"archive"[..]);
    let listed = |files: &[(&str, &[u8])]| {
        let sums: Vec<_> = files.iter().map(|(_, bytes)| Sha256::of(bytes)).collect();
        let mut text = Vec::new();
        let files = files.iter().map(|(path, _)| *path);
        manifest::write(files.zip(&sums), &mut text).unwrap();
        text
    };
    let file = |path: &str, bytes: &[u8]| {
        format!(
            r#"{{"path": "{path}", "bytes": {}, "sha256": "{}", "section": "profile", "extra": [1, {{}}]}}"#,
            bytes.len(),
            Sha256::of(bytes)
        )
    };
    let export_json = format!(
        r#"{{"format": "uforge-export/1", "user": "john", "files": [{}, {}], "items": [{{"id": 1, "files": ["data/a"]}}]}}"#,
        file("data/user.xml", user),
        file("data/a", archive)
    );
    let mut bag = BTreeMap::from([
        ("data/user.xml", user.to_vec()),
        ("data/a", archive.to_vec()),
        (
            "manifest-sha256.txt",
            listed(&[("data/user.xml", user), ("data/a", archive)]),
        ),
        (
            "bagit.txt",
            b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec(),
        ),
        (
            "bag-info.txt",
            b"Long: a\n b\nPayload-Oxum: 14.2\n".to_vec(),
        ),
        ("export.json", export_json.into_bytes()),
        ("index.html", b"<html>".to_vec()),
    ]);
    let tags: Vec<_> = bag
        .iter()
        .filter(|(path, _)| !is_payload(path))
        .map(|(p, b)| (*p, b.as_slice()))
        .collect();
    let tag_manifest = listed(&tags);
    bag.insert("tagmanifest-sha256.txt", tag_manifest);
    bag
}

fn compare_all(bag: &BTreeMap<&'static str, Vec<u8>>) -> Findings {
    let mut comparison = Comparison::default();
    for (path, bytes) in bag {
        comparison.found(path, bytes.len() as u64, Sha256::of(bytes));
        match *path {
            "manifest-sha256.txt" => comparison.payload_manifest(bytes),
            "tagmanifest-sha256.txt" => comparison.tag_manifest(bytes),
            "bagit.txt" => comparison.declaration(bytes),
            "bag-info.txt" => comparison.info(bytes),
            "export.json" => comparison.export_json(RecordedExport::read(&bytes[..])),
            _ => {}
        }
    }
    comparison.finish().0
}

fn sentences(bag: &BTreeMap<&'static str, Vec<u8>>) -> Vec<String> {
    compare_all(bag)
        .list
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Replaces a tag file, and its sum in the manifest over the tag files.
fn forge(bag: &mut BTreeMap<&'static str, Vec<u8>>, path: &'static str, from: &str, to: &str) {
    let before = String::from_utf8(bag[path].clone()).unwrap();
    let after = before.replace(from, to);
    assert_ne!(before, after);
    let tag_manifest = String::from_utf8(bag["tagmanifest-sha256.txt"].clone()).unwrap();
    let tag_manifest = tag_manifest.replace(
        &Sha256::of(before.as_bytes()).to_string(),
        &Sha256::of(after.as_bytes()).to_string(),
    );
    bag.insert("tagmanifest-sha256.txt", tag_manifest.into_bytes());
    bag.insert(path, after.into_bytes());
}

#[test]
fn a_whole_bag_is_sound_and_counted() {
    let findings = compare_all(&bag());
    assert_eq!(findings.list, []);
    assert_eq!((findings.payload_files, findings.payload_bytes), (2, 14));
}

#[test]
fn what_a_report_writes_is_read_back_and_agrees() {
    for report in [sample::complete(), sample::partial(), sample::empty()] {
        let mut comparison = Comparison::default();
        for file in &report.files {
            comparison.found(file.path.as_str(), file.bytes, file.sha256);
        }
        for tag in tag_files(&report, &Views::default()) {
            comparison.found(
                tag.path.as_str(),
                tag.bytes.len() as u64,
                Sha256::of(&tag.bytes),
            );
            match tag.path.as_str() {
                "manifest-sha256.txt" => comparison.payload_manifest(&tag.bytes),
                "tagmanifest-sha256.txt" => comparison.tag_manifest(&tag.bytes),
                "bag-info.txt" => comparison.info(&tag.bytes),
                "bagit.txt" => comparison.declaration(&tag.bytes),
                "export.json" => comparison.export_json(RecordedExport::read(&tag.bytes[..])),
                _ => {}
            }
        }
        assert_eq!(comparison.finish().0.list, []);
    }
}

#[test]
fn every_file_that_is_missing_added_or_altered_is_named() {
    for path in bag().keys().copied() {
        let mut missing = bag();
        missing.remove(path);
        assert!(!compare_all(&missing).is_sound(), "{path} missing");
        assert!(
            compare_all(&missing)
                .list
                .iter()
                .all(|f| f.path() == Some(path)),
            "{path}: {:?}",
            sentences(&missing)
        );
        let mut altered = bag();
        altered.get_mut(path).unwrap()[3] ^= 1;
        assert!(!compare_all(&altered).is_sound(), "{path} altered");
    }
    for added in ["data/x", "x.txt"] {
        let mut more = bag();
        more.insert(added, Vec::new());
        assert!(sentences(&more)[0].starts_with(&format!("`{added}` does not belong")));
    }
}

#[test]
fn sentences_name_the_file_and_the_reason() {
    let mut bag = bag();
    bag.remove("data/a");
    bag.get_mut("data/user.xml").unwrap()[0] ^= 1;
    assert_eq!(
        sentences(&bag),
        [
            "`data/user.xml` has been altered: its SHA-256 is not the one in manifest-sha256.txt",
            "`data/a` is missing: manifest-sha256.txt lists it",
        ]
    );
}

#[test]
fn export_json_is_held_against_the_bag() {
    for (from, to, expected) in [
        (
            r#""bytes": 7"#,
            r#""bytes": 8"#,
            "`data/user.xml` has 7 bytes, export.json says 8",
        ),
        (
            r#""path": "data/a""#,
            r#""path": "data/b""#,
            "`data/b` is named in export.json, but it is not in the bag",
        ),
        (
            r#"["data/a"]"#,
            r#"["data/z"]"#,
            "`data/z` is named in export.json, but it is not in the bag",
        ),
        (
            "export/1",
            "export/2",
            "`export.json` is of the format `uforge-export/2`, which this version does not know",
        ),
        (
            "]}]}",
            "]}]",
            "`export.json` cannot be read as JSON (line 1)",
        ),
        (
            r#""id": 1"#,
            r#""id": "one""#,
            "`export.json` is JSON, but not as an export.json has to be (line 1)",
        ),
        (
            r#""path": "data/a""#,
            r#""path": "data/user.xml""#,
            "`data/user.xml` is named in export.json more than once",
        ),
        (
            r#""path": "data/a""#,
            r#""path": "bagit.txt""#,
            "`bagit.txt` is named in export.json, but it does not lie below data/",
        ),
        (
            r#""path": "data/a""#,
            r#""path": "data/b""#,
            "`data/a` is in the bag, but export.json does not name it",
        ),
    ] {
        let mut bag = bag();
        forge(&mut bag, "export.json", from, to);
        assert!(
            sentences(&bag).contains(&expected.to_owned()),
            "{:?}",
            sentences(&bag)
        );
    }
    let mut bag = bag();
    let sum = Sha256::of(b"archive").to_string();
    forge(&mut bag, "export.json", &sum, &sum.replace('a', "b"));
    assert_eq!(
        sentences(&bag),
        ["`data/a` has another SHA-256 in export.json than in manifest-sha256.txt"]
    );
}

#[test]
fn what_export_json_says_of_the_bag_is_given_back_unless_it_cannot_be_read() {
    let recorded_by = |export_json: &[u8]| {
        let mut comparison = Comparison::default();
        comparison.export_json(RecordedExport::read(export_json));
        comparison.finish().1
    };
    let recorded = recorded_by(&bag()["export.json"]).unwrap();
    assert_eq!(recorded.user.as_deref(), Some("john"));
    for wrong in [&b"{}"[..], b"[", br#"{"format": "uforge-export/9"}"#] {
        assert_eq!(recorded_by(wrong), None);
    }
}

#[test]
fn payload_oxum_and_the_declaration_are_checked() {
    let mut wrong = bag();
    forge(&mut wrong, "bag-info.txt", "14.2", "14.3");
    assert_eq!(
        sentences(&wrong),
        ["bag-info.txt says that the payload is `14.3` (bytes.files), it is `14.2`"]
    );
    let mut wrong = bag();
    forge(&mut wrong, "bagit.txt", "UTF-8", "KOI8-R");
    assert_eq!(
        sentences(&wrong),
        ["`bagit.txt` is not a BagIt declaration"]
    );
}

#[test]
fn a_foreign_bag_needs_no_more_than_the_standard_asks_for() {
    let mut foreign = bag();
    for path in [
        "export.json",
        "index.html",
        "bag-info.txt",
        "tagmanifest-sha256.txt",
    ] {
        foreign.remove(path);
    }
    assert_eq!(sentences(&foreign), [""; 0]);
    foreign.remove("manifest-sha256.txt");
    assert_eq!(
        sentences(&foreign),
        ["`manifest-sha256.txt` is missing: every bag has one"]
    );
}

#[test]
fn bad_manifests_and_names_for_terminals_are_shown_safely() {
    let mut comparison = Comparison::default();
    comparison.payload_manifest(b"rubbish\n");
    comparison.found("data/\x1b[31m", 0, Sha256::of(b""));
    comparison.found("data/\x1b[31m", 0, Sha256::of(b""));
    let findings = comparison.finish().0;
    let text: Vec<_> = findings.list.iter().map(ToString::to_string).collect();
    assert!(
        text.contains(
            &"`manifest-sha256.txt` cannot be read: line 1 does not begin with a SHA-256 sum"
                .to_owned()
        ),
        "{text:?}"
    );
    assert!(text.iter().any(|t| t.contains("more than once")));
    assert!(!text.concat().contains('\x1b'));
}

#[test]
fn what_lies_behind_a_break_is_not_called_missing() {
    let mut comparison = Comparison::default();
    comparison.payload_manifest(&bag()["manifest-sha256.txt"]);
    comparison.unreadable(
        "data/a",
        Finding::Damaged {
            near: Some("data/a".to_owned()),
            damage: Damage::EndsEarly,
        },
    );
    comparison.broke_off();
    let text: Vec<_> = comparison
        .finish()
        .0
        .list
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(text, ["`data/a`: the bag ends early"]);
}

#[test]
fn the_findings_of_a_hopeless_bag_are_counted_not_kept() {
    let mut comparison = Comparison::default();
    comparison.payload_manifest(&b"x\n".repeat(5000));
    let findings = comparison.finish().0;
    assert_eq!(findings.list.len(), FINDINGS_LISTED);
    assert!(findings.unlisted >= 4000);
}

#[test]
fn programs_read_a_finding_with_its_path() {
    let finding = Finding::Damaged {
        near: Some("data/a".to_owned()),
        damage: Damage::Checksum,
    };
    assert_eq!(
        serde_json::to_string(&finding).unwrap(),
        r#"{"path":"data/a","finding":"`data/a`: the container's own checksum does not match"}"#
    );
}
