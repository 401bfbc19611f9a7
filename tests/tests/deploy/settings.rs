//! What the examples say to the service is known to it.

use std::process::Command;

use crate::read;

fn help() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_uforge-export-server-under-test"))
        .arg("--help")
        .env_clear()
        .output()
        .expect("the service");
    let text = String::from_utf8(output.stdout).expect("text");
    // It is set for a terminal's width.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Also what is commented out.
pub(crate) fn example_holds_flags() {
    let help = help();
    let text = read("deploy/server.toml");
    let keys = text.lines().filter_map(|line| {
        let (key, _) = line.trim_start_matches('#').split_once(" = ")?;
        let is_key = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        is_key.then_some(key)
    });
    let keys: Vec<&str> = keys.collect();
    assert!(keys.len() > 5, "{keys:?}");
    for key in keys {
        assert!(help.contains(&format!("--{key} ")), "{key}");
    }
}

pub(crate) fn variables_are_known() {
    let help = help();
    for file in [
        "deploy/Dockerfile",
        "deploy/compose.yaml",
        "deploy/compose.fleet.yaml",
        "deploy/helm/uforge-export/templates/web.yaml",
        "deploy/helm/uforge-export/templates/worker.yaml",
    ] {
        let text = read(file);
        let is_part = |letter: char| letter.is_ascii_uppercase() || letter == '_';
        let words = text.split(|letter| !is_part(letter));
        let names: Vec<&str> = words.filter(|word| word.starts_with("UFORGE_")).collect();
        assert!(!names.is_empty(), "{file}");
        for name in names {
            let shown = ["=", "]"].map(|end| format!("[env: {name}{end}"));
            let is_known = shown.iter().any(|shown| help.contains(shown));
            assert!(is_known, "{file}: {name}");
        }
    }
}
