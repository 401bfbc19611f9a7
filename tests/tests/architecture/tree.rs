//! The workspace as files: what git would keep, without what is built.

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a workspace").to_owned()
}

/// A text file of the workspace.
pub(crate) struct Text {
    /// Its path below the workspace's folder, with `/`.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) content: String,
}

/// Every text file with one of these endings, in order.
pub(crate) fn texts(endings: &[&str]) -> Vec<Text> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let hidden = name.starts_with('.') && !matches!(&*name, ".ci" | ".cargo");
            if hidden || matches!(&*name, "target" | "corpus") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(Text {
                    path: below(&root, &path),
                    content: fs::read_to_string(&path).expect("a text file"),
                });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// A path below the workspace's folder, with `/`.
pub(crate) fn below(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("below the workspace");
    relative.to_string_lossy().replace('\\', "/")
}
