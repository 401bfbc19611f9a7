use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::report::{export_json, sample};

const SINCE: &str = "2026-11-24T10:00:00Z";

/// A bag whose section has these objects, each `{"id": 1, "digest": "a"}` and the like.
fn bag(section: &str, entry: &Value, items: &[Value]) -> RecordedExport {
    let items = items.iter().map(|item| {
        let mut item = item.clone();
        item["section"] = json!(section);
        item["files"] = json!(["data/x"]);
        item
    });
    let mut entry = entry.clone();
    entry["name"] = json!(section);
    let recorded = json!({
        "format": "uforge-export/1",
        "sections": [entry],
        "items": items.collect::<Vec<_>>(),
    });
    RecordedExport::read(recorded.to_string().as_bytes()).unwrap()
}

fn object(id: i64, digest: Option<&str>, last_modified: Option<&str>) -> ObjectFacts {
    ObjectFacts {
        id: Some(id),
        name: Some(format!("n{id}")),
        digest: digest.map(str::to_owned),
        last_modified: last_modified.map(str::to_owned),
        ..ObjectFacts::default()
    }
}

fn read(objects: Vec<ObjectFacts>) -> ListNow {
    ListNow::Read { objects, cut: None }
}

fn unread(refused: bool) -> Unread {
    Unread {
        reason: "no".to_owned(),
        refused,
    }
}

fn stand(recorded: &RecordedExport, section: Section, now: ListNow) -> Drift {
    drift(recorded, &[(section, now)].into())
}

/// The differences of a bag's one section.
fn differences(recorded: &RecordedExport, section: Section, now: Vec<ObjectFacts>) -> Differences {
    let found = stand(recorded, section, read(now));
    let compared: Vec<_> = found.compared().collect();
    compared[0].1.clone()
}

#[test]
fn a_change_is_seen_by_digest_and_else_by_the_time_of_the_last_change() {
    let later = "2026-11-25T10:00:00Z";
    for (before, now, expected) in [
        // Digest decides wherever both have one.
        (
            (Some("a"), Some(SINCE)),
            (Some("a"), Some(SINCE)),
            Some(false),
        ),
        (
            (Some("a"), Some(SINCE)),
            (Some("a"), Some(later)),
            Some(false),
        ),
        (
            (Some("a"), Some(SINCE)),
            (Some("b"), Some(SINCE)),
            Some(true),
        ),
        ((Some("a"), None), (Some("b"), None), Some(true)),
        // Without it the time does.
        ((None, Some(SINCE)), (None, Some(SINCE)), Some(false)),
        ((None, Some(SINCE)), (None, Some(later)), Some(true)),
        ((Some("a"), Some(SINCE)), (None, Some(later)), Some(true)),
        ((None, Some(SINCE)), (Some("a"), Some(SINCE)), Some(false)),
        // The same time, written otherwise.
        (
            (None, Some(SINCE)),
            (None, Some("2026-11-24T11:00:00+01:00")),
            Some(false),
        ),
        (
            (None, Some(SINCE)),
            (None, Some("2026-11-24T10:00:00.000Z")),
            Some(false),
        ),
        ((None, Some("yesterday")), (None, Some("today")), Some(true)),
        // Neither.
        ((None, None), (None, None), None),
        ((Some("a"), None), (None, None), None),
        ((Some("a"), None), (None, Some(SINCE)), None),
    ] {
        let item = RecordedItem {
            digest: before.0.map(str::to_owned),
            last_modified: before.1.map(str::to_owned),
            ..RecordedItem::default()
        };
        assert_eq!(
            differs(&item, &object(1, now.0, now.1)),
            expected,
            "{before:?} {now:?}"
        );
    }
}

#[test]
fn every_object_is_in_one_place() {
    let recorded = bag(
        "appliances",
        &json!({"status": "partial"}),
        &[
            json!({"id": 1, "digest": "a"}),
            json!({"id": 2, "digest": "a"}),
            json!({"id": 3, "name": "gone", "digest": "a"}),
            json!({"id": 4, "digest": "a", "status": "failed", "reason": "no OS profile"}),
            json!({"id": 5}),
            json!({"id": 6, "digest": "a", "changed_during_export": true}),
            json!({"id": 7, "digest": "a", "status": "failed"}),
        ],
    );
    let now = [
        (1, "a"),
        (2, "b"),
        (4, "a"),
        (5, "a"),
        (6, "a"),
        (7, "b"),
        (8, "a"),
    ];
    let now: Vec<_> = now
        .iter()
        .map(|(id, digest)| object(*id, Some(digest), None))
        .collect();
    let found = differences(&recorded, Section::Appliances, now.clone());
    let ids = |objects: &[LiveObject]| {
        objects
            .iter()
            .filter_map(|object| object.id)
            .collect::<Vec<_>>()
    };
    let changed: Vec<_> = found
        .changed
        .iter()
        .map(|object| object.now.clone())
        .collect();
    assert_eq!(
        (found.unchanged, found.indistinct, found.unselected),
        (1, 1, 0)
    );
    assert_eq!(ids(&found.added), [8]);
    assert_eq!(
        ids(&changed),
        [2, 6, 7],
        "what is newer may also have been incomplete"
    );
    assert_eq!(ids(&found.vanished), [3]);
    assert_eq!(found.incomplete[0].reason.as_deref(), Some("no OS profile"));
    assert!(!stand(&recorded, Section::Appliances, read(now)).is_up_to_date());
}

#[test]
fn only_what_the_bag_lacks_makes_it_out_of_date() {
    let recorded = bag(
        "appliances",
        &json!({"status": "complete"}),
        &[json!({"id": 1, "digest": "a"}), json!({"id": 2})],
    );
    for (now, expected) in [
        (
            vec![object(1, Some("a"), None), object(2, None, None)],
            true,
        ),
        (vec![object(1, Some("a"), None)], true),
        (vec![], true),
        (vec![object(1, Some("b"), None)], false),
        (vec![object(3, Some("a"), None)], false),
    ] {
        assert_eq!(
            stand(&recorded, Section::Appliances, read(now.clone())).is_up_to_date(),
            expected,
            "{now:?}"
        );
    }
    let failed = bag(
        "appliances",
        &json!({"status": "partial"}),
        &[json!({"id": 1, "status": "failed"})],
    );
    assert!(
        !stand(
            &failed,
            Section::Appliances,
            read(vec![object(1, None, None)])
        )
        .is_up_to_date()
    );
    assert!(stand(&failed, Section::Appliances, read(vec![])).is_up_to_date());
}

#[test]
fn what_was_not_selected_is_never_missing() {
    let some = bag(
        "appliances",
        &json!({"status": "complete", "excluded": 2}),
        &[json!({"id": 1, "digest": "a"})],
    );
    let now: Vec<_> = (1..=4).map(|id| object(id, Some("a"), None)).collect();
    let found = differences(&some, Section::Appliances, now.clone());
    assert_eq!(
        (found.unchanged, found.unselected, found.added.len()),
        (1, 3, 0)
    );
    let excluded = bag("appliances", &json!({"status": "excluded"}), &[]);
    assert_eq!(excluded.selected(), BTreeSet::new());
    assert_eq!(
        stand(&excluded, Section::Appliances, read(now)),
        Drift::default()
    );
}

#[test]
fn a_list_that_cannot_be_read_counts_as_an_export_would_count_it() {
    let complete = json!({"status": "complete"});
    let unavailable = json!({"status": "unavailable"});
    let cut = |refused| ListNow::Read {
        objects: Vec::new(),
        cut: Some(unread(refused)),
    };
    for (section, entry, now, expected) in [
        ("scans", &complete, ListNow::Unread(unread(true)), true),
        ("scans", &complete, ListNow::Unread(unread(false)), false),
        ("scans", &unavailable, ListNow::Unread(unread(true)), true),
        (
            "scans",
            &unavailable,
            read(vec![object(1, None, None)]),
            false,
        ),
        ("scans", &complete, cut(true), true),
        ("scans", &complete, cut(false), false),
        (
            "appliances",
            &complete,
            ListNow::Unread(unread(true)),
            false,
        ),
        (
            "appliances",
            &unavailable,
            ListNow::Unread(unread(true)),
            false,
        ),
        ("appliances", &complete, cut(true), false),
    ] {
        let recorded = bag(section, entry, &[]);
        let found = stand(&recorded, section.parse().unwrap(), now.clone());
        assert_eq!(found.is_up_to_date(), expected, "{section} {entry} {now:?}");
    }
    let recorded = bag("scans", &complete, &[]);
    assert!(
        !drift(&recorded, &BTreeMap::new()).is_up_to_date(),
        "a list that nobody read says nothing"
    );
}

#[test]
fn of_a_list_that_was_cut_nothing_is_said_to_have_gone() {
    let recorded = bag(
        "usage",
        &json!({"status": "complete"}),
        &[json!({"id": 1}), json!({"id": 2})],
    );
    let now = ListNow::Read {
        objects: vec![object(1, None, None)],
        cut: Some(unread(false)),
    };
    let found = stand(&recorded, Section::Usage, now);
    let (_, usage) = found.compared().next().unwrap();
    assert_eq!((usage.vanished.len(), usage.indistinct), (0, 1));
}

#[test]
fn objects_without_an_id_are_the_same_by_address_or_name() {
    let recorded = bag(
        "quotas",
        &json!({"status": "complete"}),
        &[
            json!({"name": "disk"}),
            json!({"name": "disk"}),
            json!({"uri": "q/1", "name": "old"}),
            json!({}),
        ],
    );
    let named = |name: Option<&str>, uri: Option<&str>| ObjectFacts {
        name: name.map(str::to_owned),
        uri: uri.map(str::to_owned),
        ..ObjectFacts::default()
    };
    let now = vec![
        named(Some("new"), Some("q/1")),
        named(Some("disk"), None),
        named(None, None),
        named(Some("disk"), None),
        named(Some("disk"), None),
    ];
    let found = differences(&recorded, Section::Quotas, now);
    assert_eq!(
        (found.indistinct, found.added.len(), found.vanished.len()),
        (4, 1, 0)
    );
}

#[test]
fn a_log_that_grew_is_no_difference() {
    let recorded = bag(
        "activities",
        &json!({"status": "complete"}),
        &[json!({}), json!({})],
    );
    for now in [1, 3] {
        let found = differences(
            &recorded,
            Section::Activities,
            vec![ObjectFacts::default(); now],
        );
        assert_eq!(found, Differences::default());
    }
}

#[test]
fn there_is_one_profile_whatever_it_is_called() {
    let recorded = bag(
        "profile",
        &json!({"status": "complete"}),
        &[json!({"id": 5, "name": "john", "digest": "a"})],
    );
    let found = differences(
        &recorded,
        Section::Profile,
        vec![object(6, Some("a"), None)],
    );
    assert_eq!((found.unchanged, found.added.len()), (1, 0));
}

#[test]
fn a_ticket_that_the_run_left_is_nothing_new() {
    let mut recorded = bag(
        "exports",
        &json!({"status": "complete"}),
        &[json!({"id": 7})],
    );
    let source = "GET users/john/appliances/201/exports/12/downloads";
    let file = json!({"path": "data/a", "bytes": 0, "sha256": crate::model::Sha256::of(b""), "source": source});
    recorded.files = vec![serde_json::from_value(file).unwrap()];
    let now = vec![
        object(7, None, None),
        object(12, None, None),
        object(13, None, None),
    ];
    let found = differences(&recorded, Section::Exports, now.clone());
    assert_eq!(
        found
            .added
            .iter()
            .filter_map(|object| object.id)
            .collect::<Vec<_>>(),
        [13]
    );
    recorded.sections[0].name = "scans".to_owned();
    assert_eq!(differences(&recorded, Section::Scans, now).added.len(), 3);
}

#[test]
fn a_section_of_a_newer_version_is_named_and_one_listed_twice_is_compared_once() {
    let mut recorded = bag("roles", &json!({"status": "complete"}), &[json!({"id": 1})]);
    let moods = recorded.sections[0].clone();
    recorded.sections.push(moods.clone());
    recorded.sections.push(super::super::RecordedSection {
        name: "moods".to_owned(),
        ..moods
    });
    let found = stand(&recorded, Section::Roles, read(vec![object(1, None, None)]));
    assert_eq!(found.sections.len(), 1);
    assert_eq!(found.unknown, ["moods"]);
    assert!(!found.is_up_to_date());
}

#[test]
fn programs_read_it_like_this() {
    let recorded = bag(
        "appliances",
        &json!({"status": "complete"}),
        &[json!({"id": 1, "digest": "a"})],
    );
    let now = vec![object(1, Some("b"), None)];
    assert_eq!(
        serde_json::to_value(stand(&recorded, Section::Appliances, read(now))).unwrap(),
        json!({
            "sections": [{
                "name": "appliances", "standing": "compared", "unchanged": 0, "indistinct": 0, "unselected": 0,
                "added": [], "incomplete": [], "vanished": [], "cut": null,
                "changed": [{"id": 1, "name": "n1", "version": null, "digest": "b", "last_modified": null,
                             "digest_in_bag": "a", "last_modified_in_bag": null}],
            }],
            "unknown": [],
        })
    );
    assert_eq!(
        serde_json::to_value(stand(
            &recorded,
            Section::Appliances,
            ListNow::Unread(unread(true))
        ))
        .unwrap()["sections"],
        json!([{"name": "appliances", "standing": "unread", "reason": "no", "refused": true}])
    );
}

/// The lists as a report has them.
fn as_reported(report: &crate::report::Report) -> BTreeMap<Section, ListNow> {
    let mut now: BTreeMap<Section, ListNow> = BTreeMap::new();
    for section in Section::ALL {
        let items = report.items.iter().filter(|item| item.section == section);
        let objects = items.map(|item| ObjectFacts {
            id: item.id,
            name: item.name.clone(),
            uri: item.uri.clone(),
            digest: item.digest.clone(),
            last_modified: item.last_modified.clone(),
            ..ObjectFacts::default()
        });
        now.insert(section, read(objects.collect()));
    }
    now
}

#[test]
fn a_report_that_was_just_written_is_up_to_date() {
    let report = sample::complete();
    let recorded = RecordedExport::read(&export_json(&report)[..]).unwrap();
    let found = drift(&recorded, &as_reported(&report));
    assert!(found.is_up_to_date(), "{found:#?}");
    assert!(
        found
            .compared()
            .all(|(_, section)| section.vanished.is_empty())
    );
}

fn any_object() -> impl Strategy<Value = ObjectFacts> {
    let word = || prop::option::of("[ab]");
    (prop::option::of(0..4_i64), word(), word(), word()).prop_map(
        |(id, name, digest, last_modified)| ObjectFacts {
            id,
            name,
            digest,
            last_modified,
            ..ObjectFacts::default()
        },
    )
}

proptest! {
    #[test]
    fn every_object_on_either_side_is_counted_once(
        before in prop::collection::vec(any_object(), 0..8),
        now in prop::collection::vec(any_object(), 0..8),
    ) {
        let items: Vec<Value> = before.iter().map(|object| json!({
            "id": object.id, "name": object.name, "digest": object.digest, "last_modified": object.last_modified,
        })).collect();
        let recorded = bag("images", &json!({"status": "complete"}), &items);
        let found = differences(&recorded, Section::Images, now.clone());
        let both = found.unchanged + found.indistinct + found.changed.len() as u64 + found.incomplete.len() as u64;
        prop_assert_eq!(both + found.added.len() as u64, now.len() as u64);
        prop_assert_eq!(both + found.vanished.len() as u64, before.len() as u64);
    }

    #[test]
    fn what_is_listed_as_it_was_is_up_to_date(objects in prop::collection::vec(any_object(), 0..8)) {
        let items: Vec<Value> = objects.iter().map(|object| json!({
            "id": object.id, "name": object.name, "digest": object.digest, "last_modified": object.last_modified,
        })).collect();
        let recorded = bag("images", &json!({"status": "complete"}), &items);
        prop_assert!(stand(&recorded, Section::Images, read(objects)).is_up_to_date());
    }
}
