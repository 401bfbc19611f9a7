//! The rule, over bags and platforms of every kind.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::earlier::{Earlier, EarlierBagError, read_earlier};
use super::rule::{Changed, Now, State, unchanged};
use crate::bag::verify::RecordedExport;
use crate::model::{BundleReference, ItemKind, ItemRef, OutputFormat, Sha256, UserId};
use crate::testing::{MemoryBag, SimClock, appliance, mysoftware};

const URL: &str = "https://uforge.example.com/api";

fn john() -> UserId {
    UserId::parse("john").unwrap()
}

fn read(export_json: &Value) -> Result<Earlier, EarlierBagError> {
    let recorded = RecordedExport::read(export_json.to_string().as_bytes()).unwrap();
    let bag = MemoryBag::new(recorded);
    let name = "old.zip".to_owned();
    SimClock::default().run(read_earlier(&bag, name, &john(), URL))
}

fn section(item: ItemRef) -> &'static str {
    match item.kind {
        ItemKind::Appliance => "appliances",
        ItemKind::MySoftware => "mysoftware",
    }
}

fn path(item: ItemRef) -> String {
    format!("data/{}/{}-x/archive.tar.gz", section(item), item.id)
}

fn file(item: ItemRef) -> Value {
    json!({
        "path": path(item), "bytes": 7, "sha256": Sha256::of(b"archive").to_string(), "media_type": "application/gzip",
        "section": section(item), "source": "GET users/john/x/exports/1/downloads", "fetched": "2026-11-24T10:15:30Z",
    })
}

fn item(item: ItemRef, said: &Said) -> Value {
    json!({
        "section": section(item), "id": item.id.get(), "digest": said.digest, "last_modified": said.last_modified,
        "status": "complete", "changed_during_export": false, "files": [path(item)],
    })
}

fn export_json(items: &[Value], files: &[Value]) -> Value {
    json!({
        "format": "uforge-export/1", "source": {"url": URL}, "user": "john", "output_format": "yaml",
        "items": items, "files": files,
    })
}

/// What is said of the state of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    digest: Option<String>,
    last_modified: Option<String>,
}

impl Said {
    fn state(&self) -> State<'_> {
        State {
            digest: self.digest.as_deref(),
            last_modified: self.last_modified.as_deref(),
        }
    }

    fn is_whole(&self) -> bool {
        self.digest.is_some() && self.last_modified.is_some()
    }
}

fn word() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        4 => Just(Some("a".to_owned())),
        1 => Just(Some("b".to_owned())),
        1 => Just(None),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    (word(), word()).prop_map(|(digest, last_modified)| Said {
        digest,
        last_modified,
    })
}

/// What the platform and the bag say of one item: each may not have it.
type Both = (Option<Said>, Option<Said>);

fn both() -> impl Strategy<Value = Both> {
    let maybe = || prop::option::weighted(0.9, said());
    (maybe(), maybe())
}

fn is_same((now, then): &Both) -> bool {
    now.is_some() && now == then && now.as_ref().is_some_and(Said::is_whole)
}

proptest! {
    #[test]
    fn an_item_is_taken_where_all_is_said_and_equal(
        own in both(),
        bundles in prop::collection::vec(both(), 4),
        references in prop::option::weighted(0.9, prop::collection::btree_set(0..6_i64, 0..4)),
        foreign in prop::bool::weighted(0.05),
    ) {
        let shop = appliance(201);
        let bundle = |place: usize| mysoftware(i64::try_from(place).unwrap() + 1);
        let all: Vec<(ItemRef, &Both)> = std::iter::once((shop, &own))
            .chain(bundles.iter().enumerate().map(|(place, both)| (bundle(place), both)))
            .collect();
        let held = all.iter().filter_map(|(of, (_, then))| Some((*of, then.as_ref()?)));
        let items: Vec<Value> = held.clone().map(|(of, said)| item(of, said)).collect();
        let files: Vec<Value> = held.map(|(of, _)| file(of)).collect();
        let earlier = read(&export_json(&items, &files)).unwrap();
        let refers: Option<BTreeSet<BundleReference>> = references.as_ref().map(|places| {
            let owner = |place: &i64| (place % 2 == 0).then(|| "john".to_owned());
            let mut refers: BTreeSet<_> = places.iter().map(|place| BundleReference { owner: owner(place), id: Some(place + 1) }).collect();
            if foreign {
                refers.insert(BundleReference { owner: Some("mary".to_owned()), id: Some(1) });
            }
            refers
        });
        let user = john();
        let now = Now {
            user: &user,
            output_format: OutputFormat::Yaml,
            states: all.iter().filter_map(|(of, (now, _))| Some((*of, now.as_ref()?.state()))).collect(),
            references: refers.iter().map(|refers| (shop, refers)).collect(),
        };
        let expected = is_same(&own)
            && !(foreign && references.is_some())
            && references.as_ref().is_some_and(|places| {
                places.iter().all(|place| bundles.get(usize::try_from(*place).unwrap()).is_some_and(is_same))
            });
        prop_assert_eq!(unchanged(shop, &now, &earlier).is_ok(), expected);
        for (place, both) in bundles.iter().enumerate() {
            prop_assert_eq!(unchanged(bundle(place), &now, &earlier).is_ok(), is_same(both));
        }
        let json = Now { output_format: OutputFormat::Json, ..now };
        prop_assert_eq!(unchanged(shop, &json, &earlier), Err(Changed::OtherFormat));
    }
}

fn whole() -> Said {
    Said {
        digest: Some("a".to_owned()),
        last_modified: Some("a".to_owned()),
    }
}

/// What becomes of bundle 1 with a bag that says this.
fn judged(export_json: &Value) -> Result<(), Changed> {
    let said = whole();
    let user = john();
    let now = Now {
        user: &user,
        output_format: OutputFormat::Yaml,
        states: BTreeMap::from([(mysoftware(1), said.state())]),
        references: BTreeMap::new(),
    };
    let earlier = read(export_json).unwrap();
    unchanged(mysoftware(1), &now, &earlier).map(drop)
}

/// `export.json` with one sound item, changed at one place.
fn with(pointer: &str, value: Value) -> Value {
    let nginx = mysoftware(1);
    let mut json = export_json(&[item(nginx, &whole())], &[file(nginx)]);
    *json.pointer_mut(pointer).unwrap() = value;
    json
}

#[test]
fn an_item_that_the_bag_does_not_describe_well_is_exported() {
    assert_eq!(judged(&with("/user", json!("john"))), Ok(()));
    for (pointer, value) in [
        ("/items/0/status", json!("partial")),
        ("/items/0/status", Value::Null),
        ("/items/0/changed_during_export", json!(true)),
        ("/items/0/section", json!("appliances")),
        ("/items/0/section", json!("roles")),
        ("/items/0/section", Value::Null),
        ("/items/0/id", json!(2)),
        ("/items/0/id", json!(-1)),
        ("/items/0/id", Value::Null),
        ("/items/0/files", json!([])),
        (
            "/items/0/files",
            json!(["data/mysoftware/2-x/archive.tar.gz"]),
        ),
        (
            "/items/0/files",
            json!(["data/appliances/1-x/archive.tar.gz"]),
        ),
        (
            "/items/0/files",
            json!(["data/mysoftware/1-x/../1-x/archive.tar.gz"]),
        ),
        ("/items/0/files", json!(["../archive.tar.gz"])),
        ("/items/0/files", json!(["export.json"])),
        (
            "/items/0/files",
            json!([path(mysoftware(1)), "data/mysoftware/1-x/archive-2.tar.gz"]),
        ),
        ("/files/0/section", json!("appliances")),
        ("/files/0/path", json!("data/mysoftware/1-y/archive.tar.gz")),
        ("/files/0/source", Value::Null),
        ("/files/0/source", json!("GET a?signature=x")),
        ("/files/0/fetched", json!("yesterday")),
        ("/output_format", Value::Null),
        ("/output_format", json!("json")),
    ] {
        let judged = judged(&with(pointer, value.clone()));
        assert!(judged.is_err(), "{pointer} {value}");
    }
}

#[test]
fn what_is_there_twice_is_nobody_s() {
    let nginx = mysoftware(1);
    let (item, file) = (item(nginx, &whole()), file(nginx));
    let twice = export_json(&[item.clone(), item.clone()], std::slice::from_ref(&file));
    assert!(judged(&twice).is_err());
    let twice = export_json(&[item], &[file.clone(), file]);
    assert!(judged(&twice).is_err());
}

#[test]
fn of_several_archives_the_newest_is_taken() {
    let newer = "data/mysoftware/1-x/archive-10.tar.gz";
    let nginx = mysoftware(1);
    let mut json = with(
        "/items/0/files",
        json!([newer, "data/mysoftware/1-x/archive-2.tar.gz", path(nginx)]),
    );
    let mut file = file(nginx);
    file["path"] = json!(newer);
    json["files"].as_array_mut().unwrap().push(file);
    let said = whole();
    let user = john();
    let shop = BTreeSet::from([BundleReference {
        owner: None,
        id: Some(1),
    }]);
    let states = [mysoftware(1), appliance(201)].map(|of| (of, said.state()));
    json["items"]
        .as_array_mut()
        .unwrap()
        .push(item(appliance(201), &said));
    json["files"]
        .as_array_mut()
        .unwrap()
        .push(self::file(appliance(201)));
    let now = Now {
        user: &user,
        output_format: OutputFormat::Yaml,
        states: states.into(),
        references: BTreeMap::from([(appliance(201), &shop)]),
    };
    let earlier = read(&json).unwrap();
    let taken = unchanged(nginx, &now, &earlier).map(|archive| archive.path.as_str());
    assert_eq!(taken, Ok(newer));
    // The appliance may have been exported before the bundle changed.
    assert!(unchanged(appliance(201), &now, &earlier).is_err());
}

#[test]
fn a_bag_of_somebody_else_is_refused() {
    for (pointer, value) in [
        ("/user", json!("mary")),
        ("/user", json!("John")),
        ("/source/url", json!("https://uforge.example.org/api")),
    ] {
        let read = read(&with(pointer, value));
        assert!(matches!(read, Err(EarlierBagError::OtherBag { .. })));
    }
    for pointer in ["/user", "/source/url"] {
        let read = read(&with(pointer, Value::Null));
        assert!(matches!(read, Err(EarlierBagError::Nameless)));
    }
    assert!(read(&with("/source/url", json!(format!("{URL}/")))).is_ok());
}

#[test]
fn a_bag_whose_description_is_damaged_is_refused() {
    let recorded = RecordedExport::read(with("/user", json!("john")).to_string().as_bytes());
    let mut bag = MemoryBag::new(recorded.unwrap());
    bag.damage_tags("`export.json` differs");
    let john = john();
    let read = read_earlier(&bag, "old.zip".to_owned(), &john, URL);
    let refused = SimClock::default().run(read).unwrap_err();
    assert!(refused.to_string().contains("`export.json` differs"));
}
