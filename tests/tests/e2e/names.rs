//! Names that mean harm give paths that do none, and are shown as they are.

use std::collections::BTreeSet;

use sandbox::scenario::{ItemKind, ItemScenario, Names};
use tests::kit::{Bag, quick};

use crate::site;

#[test]
fn hostile_names_make_safe_paths_and_are_shown_as_they_are() {
    let mut scenario = quick();
    scenario.data.appliances = 14;
    scenario.data.software = 14;
    scenario.data.archive_bytes = 4_000;
    scenario.data.names = Names::Hostile;
    for (id, name) in [
        (201, "../../etc/passwd"),
        (202, "<script>alert('x')</script>"),
        (203, "Web Shop"),
        (204, "web shop"),
    ] {
        let mut item = ItemScenario::new(ItemKind::Appliance, id);
        item.name = Some(name.to_owned());
        scenario = scenario.with_item(item);
    }
    let site = site(scenario);
    for name in ["john.zip", "john.tar.gz"] {
        let ended = site.program.run(site.export_to(name)).expect_status(0);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
        let bag = Bag::read(&site.path(name));
        bag.check();
        check_names(&bag);
        assert_eq!(site.listing().len(), 1, "{:?}", site.listing());
        std::fs::remove_file(site.path(name)).unwrap();
    }
}

fn check_names(bag: &Bag) {
    let export = bag.export_json();
    let items = export["items"].as_array().unwrap();
    let name_of = |id: i64| {
        let mut named = items
            .iter()
            .filter(|item| item["id"] == id && item["section"] == "appliances");
        named.next().unwrap()["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name_of(201), "../../etc/passwd");
    assert_eq!(name_of(202), "<script>alert('x')</script>");
    let folders: BTreeSet<String> = bag
        .payload()
        .into_keys()
        .filter(|path| path.starts_with("data/appliances/") && path.ends_with(".tar.gz"))
        .map(str::to_ascii_lowercase)
        .collect();
    assert_eq!(folders.len(), 14, "{folders:?}");
    let page = bag.text("index.html");
    assert!(page.contains("../../etc/passwd"));
    assert!(!page.contains("<script"), "a name became a program");
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
}
