//! Debian packages of both programs (`deploy/`, and `package.metadata.deb` of the programs' manifests).

use std::fs;
use std::path::{Path, PathBuf};

use crate::bag_check::release_binary;
use crate::gates::cargo_tool;
use crate::process::{Chore, say, target};

/// What the command line writes of itself, and into which file.
const WRITTEN: [(&[&str], &str); 4] = [
    (&["man"], "uforge-export.1"),
    (&["completions", "bash"], "uforge-export.bash"),
    (&["completions", "zsh"], "_uforge-export"),
    (&["completions", "fish"], "uforge-export.fish"),
];

/// Builds the packages into `target/dist` and says where they are.
pub(crate) fn build() -> Result<(), String> {
    let folder = target()?.join("dist");
    for package in packages(&folder, "1")? {
        say(&format!("xtask: {}\n", package.display()));
    }
    Ok(())
}

/// Builds both packages, with this revision of Debian's, into a folder of its own; where they are.
pub(crate) fn packages(folder: &Path, revision: &str) -> Result<Vec<PathBuf>, String> {
    let tool = cargo_tool("cargo-deb", "3.8.0", &[])?;
    let binary = release_binary()?;
    write_texts(&binary)?;
    let folder = folder.join(format!("revision-{revision}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for package in ["app-cli", "app-server"] {
        Chore::new(&tool, ["--no-build", "--locked", "--package", package])
            .args(["--deb-revision", revision, "--output"])
            .arg(&folder)
            .run()?;
    }
    listed(&folder)
}

/// Has the program write its manual page and its completions, beside itself, where the packages take them from.
fn write_texts(binary: &Path) -> Result<(), String> {
    let folder = binary.with_file_name("dist");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (command, name) in WRITTEN {
        let text = Chore::new(binary, command).output()?;
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    // Debian keeps manual pages compressed.
    Chore::new("gzip", ["--force", "--best", "--no-name"])
        .arg(folder.join("uforge-export.1"))
        .run()
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|error: std::io::Error| error.to_string())?;
    paths.sort();
    Ok(paths)
}
