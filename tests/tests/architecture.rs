//! The table of permitted dependencies, held against what Cargo says.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const MAY_USE: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("adapters-http", &["domain"]),
    ("adapters-archive", &["domain"]),
    ("adapters-clock", &["domain"]),
    ("adapters-process", &["domain"]),
    ("sandbox", &["domain"]),
    (
        "app-cli",
        &[
            "domain",
            "adapters-http",
            "adapters-archive",
            "adapters-clock",
            "adapters-process",
            "sandbox",
        ],
    ),
    (
        "app-server",
        &[
            "domain",
            "adapters-http",
            "adapters-archive",
            "adapters-clock",
            "adapters-process",
        ],
    ),
    (
        "tests",
        &[
            "domain",
            "adapters-http",
            "adapters-archive",
            "adapters-clock",
            "sandbox",
            "app-cli",
            "app-server",
        ],
    ),
    ("xtask", &[]),
];

/// Nothing with a runtime, a socket, a file or a clock below the core.
const IMPURE: [&str; 12] = [
    "tokio",
    "reqwest",
    "hyper",
    "axum",
    "zip",
    "tar",
    "sqlx",
    "clap",
    "indicatif",
    "config",
    "tempfile",
    "age",
];

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
    let packages = packages();
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        packages.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        known,
        "ARCHITECTURE.md lists every crate"
    );
    for (name, may) in MAY_USE {
        let used: Vec<&String> = packages[name]
            .iter()
            .filter(|used| known.contains(used.as_str()) && !may.contains(&used.as_str()))
            .collect();
        assert!(used.is_empty(), "`{name}` may not use {used:?}");
    }
}

#[test]
fn the_core_is_pure() {
    let packages = packages();
    let impure: Vec<&str> = IMPURE
        .into_iter()
        .filter(|name| packages["domain"].contains(*name))
        .collect();
    assert!(impure.is_empty(), "`domain` depends on {impure:?}");
}

#[test]
fn http_goes_out_through_one_adapter_and_only_programs_read_a_command_line() {
    for (library, owners) in [
        ("reqwest", &["adapters-http", "tests"][..]),
        ("clap", &["app-cli", "app-server"]),
        ("zip", &["adapters-archive", "tests"]),
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
