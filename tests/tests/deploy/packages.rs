//! The Debian packages, as far as their manifests say what is in them.

use crate::{parse_shell, read, root};

/// But what is built.
pub(crate) fn what_they_hold_is_there() {
    for package in ["app-cli", "app-server"] {
        let folder = format!("crates/{package}");
        let manifest = read(&format!("{folder}/Cargo.toml"));
        let lines = manifest
            .lines()
            .filter(|line| line.trim_start().starts_with("[\""));
        let sources: Vec<&str> = lines.filter_map(|line| line.split('"').nth(1)).collect();
        assert!(sources.len() > 3, "{sources:?}");
        for source in sources {
            let is_built = source.starts_with("target/release/");
            assert!(
                is_built || root().join(&folder).join(source).is_file(),
                "{source}"
            );
        }
    }
}

pub(crate) fn scripts() {
    for script in ["postinst", "postrm"] {
        let text = read(&format!("deploy/debian/{script}"));
        assert!(text.starts_with("#!/bin/sh\nset -e\n"), "{script}");
        assert!(text.contains("\n#DEBHELPER#\n"), "{script}");
        parse_shell(&text);
    }
    parse_shell(&read("tests/tests/packages/boot.sh"));
}
