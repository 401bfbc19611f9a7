//! The Dockerfile's steps, checked without an engine.

use std::process::Command;

use crate::dockerfile::{Stage, stages};
use crate::{is_pinned, parse_shell, read, root};

fn build() -> Stage {
    let build = |stage: &Stage| stage.name.as_deref() == Some("build");
    stages().into_iter().find(build).expect("a build stage")
}

fn last() -> Stage {
    stages().pop().expect("a stage")
}

/// And both of one Debian, so that the program finds the libc that it was linked with.
pub(crate) fn base_images_are_pinned() {
    let stages = stages();
    assert_eq!(stages.len(), 2);
    for stage in &stages {
        assert!(is_pinned(&stage.image), "{}", stage.image);
    }
    let rust = stages[0].image.strip_prefix("rust:").expect("Rust first");
    assert!(rust.ends_with("-bookworm"), "{rust}");
    assert!(
        stages[1].image.starts_with("debian:12."),
        "{}",
        stages[1].image
    );
    let manifest = read("Cargo.toml");
    let wanted = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let wanted = wanted.expect("a version of Rust").trim_matches('"');
    assert!(
        rust.starts_with(&format!("{wanted}.")),
        "{rust}, not {wanted}"
    );
}

/// In the workspace, and let into the context by `.dockerignore`.
pub(crate) fn sources_are_there() {
    let ignored = read(".dockerignore");
    let lines: Vec<&str> = ignored
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(lines[0], "*", "nothing is in the context by itself");
    for copy in build().copies() {
        assert_eq!(copy.from, None);
        for source in copy.sources {
            assert!(root().join(&source).exists(), "{source}");
            assert!(
                lines.contains(&format!("!{source}").as_str()),
                "{source} is ignored"
            );
        }
    }
}

/// Copied alone, these files are a workspace for Cargo, with the lock file as it is.
pub(crate) fn cargo_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for copy in build().copies() {
        for source in copy.sources {
            let copied = Command::new("cp")
                .arg("--recursive")
                .arg(root().join(&source))
                .arg(folder.path())
                .status();
            assert!(copied.expect("cp").success(), "{source}");
        }
    }
    let read = Command::new(env!("CARGO"))
        // It reads all manifests, and fails where the lock file would change; `metadata` would need crates of other systems.
        .args(["update", "--workspace", "--locked", "--offline"])
        .current_dir(folder.path())
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    // What the code includes lies in it too.
    let outside = Command::new("grep")
        .args([
            "--recursive",
            "--include=*.rs",
            "include_[a-z]*!(\"\\(\\.\\./\\)\\{3,\\}",
        ])
        .arg(folder.path().join("crates"))
        .output()
        .expect("grep");
    let found = String::from_utf8_lossy(&outside.stdout).into_owned();
    for line in found.lines() {
        assert!(
            line.contains("docs/export.schema.json") || line.contains("docs/sandbox.md"),
            "{line}"
        );
    }
}

pub(crate) fn commands_can_be_parsed() {
    for stage in stages() {
        for command in stage.all("RUN") {
            parse_shell(command);
        }
    }
}

pub(crate) fn program_is_built() {
    let (build, last) = (build(), last());
    assert_eq!(
        build.one("RUN"),
        "cargo build --release --locked -p app-server"
    );
    let folder = build.one("WORKDIR");
    let manifest = read("crates/app-server/Cargo.toml");
    assert!(manifest.contains("name = \"uforge-export-server\"\npath = \"src/main.rs\""));
    let program = format!("{folder}/target/release/uforge-export-server");
    let copies = last.copies();
    let copy = copies
        .iter()
        .find(|copy| copy.sources == [program.as_str()]);
    let copy = copy.expect("the program is copied");
    assert_eq!(copy.from.as_deref(), Some("build"));
    let entry: Vec<String> = serde_json::from_str(last.one("ENTRYPOINT")).expect("words");
    assert_eq!(entry, [copy.to.as_str()]);
}

pub(crate) fn is_nobody_special() {
    let last = last();
    let user = last.one("USER");
    let (user, group) = user.split_once(':').expect("a user and a group");
    for number in [user, group] {
        let number: u32 = number.parse().expect("a number, which can be checked");
        assert!(number > 0);
    }
    let volume = last.one("VOLUME");
    let setup = last.one("RUN");
    assert!(setup.contains(&format!(
        "--mode=0700 --owner={user} --group={group} {volume}"
    )));
    assert!(
        last.one("ENV")
            .contains(&format!("UFORGE_EXPORT_DATA={volume}"))
    );
}

pub(crate) fn ports() {
    let last = last();
    let port = last.one("EXPOSE");
    assert!(
        last.one("ENV")
            .contains(&format!("UFORGE_EXPORT_LISTEN=0.0.0.0:{port}"))
    );
    assert!(read("docs/server.md").contains(&format!("127.0.0.1:{port}")));
    for proxy in ["nginx/uforge-export.conf", "caddy/Caddyfile"] {
        assert!(
            read(&format!("deploy/{proxy}")).contains(&format!("127.0.0.1:{port}")),
            "{proxy}"
        );
    }
    assert_eq!(last.one("STOPSIGNAL"), "SIGTERM");
}
