//! What ARCHITECTURE.md promises, held against the code: the crates and what they may use, imports without cycles, documents
//! that exist, words, and the places where special things may be done.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod cycles;
mod documents;
mod modules;
mod places;
mod tree;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// All that `domain` may depend on: pure libraries, without a runtime, a socket, a file or a clock.
const PURE: [&str; 16] = [
    "askama",
    "async-trait",
    "base64",
    "bytes",
    "deunicode",
    "flate2",
    "futures-channel",
    "futures-util",
    "jiff",
    "mockall",
    "roxmltree",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

/// The table of ARCHITECTURE.md: each crate, and those of the workspace that it may use.
fn may_use() -> BTreeMap<String, BTreeSet<String>> {
    let path = tree::root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let table: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let [name, _, may] = cells.as_slice() else {
                panic!("not three columns: {row}");
            };
            let name = names_in(name).next().expect("a crate");
            (name, names_in(may).collect())
        })
        .collect();
    assert!(!table.is_empty(), "ARCHITECTURE.md has a table of crates");
    table
}

/// What stands in backticks.
fn names_in(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let shipped = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            let names =
                shipped.filter_map(|dependency| dependency["name"].as_str().map(str::to_owned));
            (
                package["name"].as_str().expect("a name").to_owned(),
                names.collect(),
            )
        })
        .collect()
}

#[test]
fn every_crate_uses_only_what_it_may() {
    let (packages, table) = (packages(), may_use());
    let known: BTreeSet<&String> = table.keys().collect();
    assert_eq!(
        packages.keys().collect::<BTreeSet<_>>(),
        known,
        "ARCHITECTURE.md lists every crate"
    );
    for (name, may) in &table {
        let used: Vec<&String> = packages[name]
            .iter()
            .filter(|used| known.contains(used) && !may.contains(*used))
            .collect();
        assert!(used.is_empty(), "`{name}` may not use {used:?}");
    }
}

#[test]
fn the_core_depends_on_nothing_but_pure_libraries() {
    let packages = packages();
    let other: Vec<&String> = packages["domain"]
        .iter()
        .filter(|used| !PURE.contains(&used.as_str()))
        .collect();
    assert!(other.is_empty(), "`domain` depends on {other:?}");
}

#[test]
fn http_goes_out_through_one_adapter_and_only_programs_read_a_command_line() {
    for (library, owners) in [
        // `adapters-store` names a feature of it for the client of its object store, and uses nothing of it.
        (
            "reqwest",
            &["adapters-http", "adapters-store", "fleet-load", "tests"][..],
        ),
        ("clap", &["app-cli", "app-server"]),
        // `adapters-store` reads its bags back with it in its tests.
        (
            "zip",
            &["adapters-archive", "adapters-store", "fleet-load", "tests"],
        ),
    ] {
        let users: Vec<String> = packages()
            .into_iter()
            .filter(|(_, uses)| uses.contains(library))
            .map(|(name, _)| name)
            .collect();
        assert!(
            users.iter().all(|user| owners.contains(&user.as_str())),
            "`{library}` is used by {users:?}"
        );
    }
}
