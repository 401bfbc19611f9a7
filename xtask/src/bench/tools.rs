//! The tools that the program is measured against.

use std::process::Command;

use crate::process::{Chore, is_here, say};

/// Tools that the pipeline needs, and the packages of Debian that have them.
const TOOLS: [(&str, &str); 4] = [
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("gzip", "gzip"),
    ("zip", "zip"),
];

/// Brings what is missing where that is possible; says what stays missing.
pub(crate) fn missing() -> Vec<&'static str> {
    let absent = |tools: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        let here = |tool: &str| match tool {
            // It has no `--version`.
            "openssl" => Command::new(tool).arg("version").output().is_ok(),
            _ => is_here(tool),
        };
        tools
            .iter()
            .copied()
            .filter(|(tool, _)| !here(tool))
            .collect()
    };
    let first = absent(&TOOLS);
    if first.is_empty() {
        return Vec::new();
    }
    let packages = first.iter().map(|(_, package)| *package);
    // Not everybody may: then the benchmark goes on without them, and says so.
    let _ = Chore::new("apt-get", ["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .run();
    let missing: Vec<&str> = absent(&first).into_iter().map(|(tool, _)| tool).collect();
    if !missing.is_empty() {
        say(&format!("  not on this machine: {}\n", missing.join(", ")));
    }
    missing
}
