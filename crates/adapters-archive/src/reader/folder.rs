//! A bag that was unpacked: a folder and the files below it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::bag::verify::{Damage, Finding};

use super::error::Stopped;
use super::visit::{MOST_FILES, Visitor, is_safe};

/// Folders deeper than this are no bag's, and paths would grow too long.
const DEEPEST: usize = 64;

/// Shows all files below `top`, sorted, folder by folder. Links are not followed.
pub(crate) fn visit(top: &Path, visitor: &mut dyn Visitor) -> Result<(), Stopped> {
    let mut folders = vec![(top.to_owned(), String::new(), 0)];
    let mut files = 0;
    while let Some((folder, prefix, depth)) = folders.pop() {
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder)? {
            found.push(entry?);
            files += 1;
            if files > MOST_FILES {
                return Err(Stopped::TooManyFiles);
            }
        }
        found.sort_by_key(fs::DirEntry::file_name);
        for entry in found {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < DEEPEST {
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else if !is_safe(&path) || kind.is_dir() {
                visitor.finding(Finding::Damaged {
                    near: Some(path),
                    damage: Damage::UnsafePath,
                });
            } else if kind.is_file() {
                show(entry.path(), &path, visitor)?;
            } else {
                visitor.unreadable(&path, Damage::NotAFile);
            }
        }
    }
    Ok(())
}

fn show(file: PathBuf, path: &str, visitor: &mut dyn Visitor) -> io::Result<()> {
    let mut file = File::open(file)?;
    let bytes = file.metadata()?.len();
    visitor.file(path, bytes, &mut file)
}
