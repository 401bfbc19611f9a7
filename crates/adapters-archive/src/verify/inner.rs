//! What is inside of an archive that the platform made: a template or bundle file and the files that it names.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};

use domain::bag::GzipCheck;
use domain::bag::verify::{Described, InnerProblem, Inside};
use domain::ports::CheckFailure;

use super::description::{self, Language};
use crate::reader::{Ending, Forward, TarKind, Tarball, read_over};

/// More files than any archive of the platform has.
const MOST_ENTRIES: usize = 200_000;
/// Problems reported of one archive.
const MOST_PROBLEMS: usize = 20;
/// The platform puts the template or bundle file at the top; some programs put all into one folder.
const DEEPEST_DESCRIPTION: usize = 1;

/// What is inside a gzip file, which is checked on the way: it is inflated once.
struct Inflated<R> {
    archive: R,
    gzip: GzipCheck,
}

impl<R: BufRead> Inflated<R> {
    /// Checks what nobody has read. The size of all, inflated.
    fn finish(mut self) -> Result<u64, CheckFailure> {
        // Whoever reads the archive keeps its errors.
        while let Ok(chunk @ [_, ..]) = self.archive.fill_buf() {
            self.gzip.update(chunk)?;
            let taken = chunk.len();
            self.archive.consume(taken);
        }
        self.gzip.finish()
    }
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut chunk = self.archive.fill_buf()?;
            let before = chunk.len();
            let made = self.gzip.inflate(&mut chunk, buffer);
            let taken = before - chunk.len();
            self.archive.consume(taken);
            match made {
                Ok(0) if before > 0 => {}
                Ok(made) => return Ok(made),
                Err(failure) => return Err(io::Error::other(failure)),
            }
        }
    }
}

impl<R: BufRead> Forward for &mut Inflated<R> {
    fn pass_over(&mut self, bytes: u64) -> io::Result<u64> {
        read_over(self, bytes)
    }
}

/// Looks through an archive: what is inside, and what is wrong there; and whether it is a whole gzip file, as [`GzipCheck`] says it.
pub(super) fn inspect(archive: impl BufRead) -> (Inside, Result<u64, CheckFailure>) {
    let mut contents = Contents::default();
    let mut inflated = Inflated {
        archive,
        gzip: GzipCheck::new(),
    };
    let mut tar = Tarball::new(&mut inflated, Ending::Any);
    if let Err(problem) = contents.read(&mut tar) {
        contents.problem(problem);
    } else {
        contents.compare();
    }
    let inside = Inside {
        described: contents.described,
        problems: contents.problems,
    };
    (inside, inflated.finish())
}

#[derive(Default)]
struct Contents {
    paths: BTreeSet<String>,
    /// The same with their parts in reverse order: to look paths up by their ends.
    reversed: BTreeSet<String>,
    entries: usize,
    description: Option<Description>,
    described: Option<Described>,
    problems: Vec<InnerProblem>,
}

struct Description {
    path: String,
    depth: usize,
    language: Language,
    /// `None` where it is too large.
    text: Option<Vec<u8>>,
}

impl Contents {
    fn problem(&mut self, problem: InnerProblem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn read<R: Forward>(&mut self, tar: &mut Tarball<R>) -> Result<(), InnerProblem> {
        while let Some(entry) = tar.next_entry().map_err(|_| InnerProblem::NotTar)? {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(InnerProblem::TooMany {
                    limit: MOST_ENTRIES,
                });
            }
            let Some(path) = self.place(&entry.path, &entry.kind) else {
                continue;
            };
            if entry.kind == TarKind::File {
                self.look_for_description(&path, tar)?;
            }
            if entry.kind == TarKind::Folder {
                continue;
            }
            self.reversed.insert(reversed(&path));
            if !self.paths.insert(path.clone()) {
                self.problem(InnerProblem::Twice { entry: path });
            }
        }
        Ok(())
    }

    /// The entry's path from the archive's top; `None` for one that leads out, and for the top itself.
    fn place(&mut self, raw: &str, kind: &TarKind) -> Option<String> {
        let path = resolve("", raw);
        let leads_to = match (&path, kind) {
            (Some(path), TarKind::SymbolicLink(target)) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                resolve(folder, target)
            }
            (Some(_), TarKind::HardLink(target)) => resolve("", target),
            _ => path.clone(),
        };
        if leads_to.is_none() {
            self.problem(InnerProblem::Escapes {
                entry: raw.to_owned(),
            });
            return None;
        }
        path.filter(|path| !path.is_empty())
    }

    fn look_for_description<R: Forward>(
        &mut self,
        path: &str,
        tar: &mut Tarball<R>,
    ) -> Result<(), InnerProblem> {
        let depth = path.matches('/').count();
        let is_nearer = self.description.as_ref().is_none_or(|d| depth < d.depth);
        let language = Language::of(path).filter(|_| is_nearer && depth <= DEEPEST_DESCRIPTION);
        if let Some(language) = language {
            let mut text = Vec::new();
            tar.take(description::LARGEST_BYTES + 1)
                .read_to_end(&mut text)
                .map_err(|_| InnerProblem::NotTar)?;
            let is_whole = text.len() as u64 <= description::LARGEST_BYTES;
            self.description = Some(Description {
                path: path.to_owned(),
                depth,
                language,
                text: is_whole.then_some(text),
            });
        }
        Ok(())
    }

    fn compare(&mut self) {
        let Some(description) = self.description.take() else {
            self.problem(InnerProblem::NoDescription);
            return;
        };
        let file = description.path;
        let Some(text) = description.text else {
            let limit = description::LARGEST_BYTES;
            self.problem(InnerProblem::TooLarge { file, limit });
            return;
        };
        match description::read(&file, &text, description.language) {
            Err(line) => self.problem(InnerProblem::Unparsable {
                file,
                language: description.language.name(),
                line,
            }),
            Ok((named, described)) => {
                self.described = Some(described);
                let top = file.rsplit_once('/').map_or("", |(top, _)| top).to_owned();
                for name in named {
                    if !self.holds(&top, &name) {
                        self.problem(InnerProblem::Lacks {
                            file: name,
                            by: file.clone(),
                        });
                    }
                }
            }
        }
    }

    /// Whether a file or a folder of this name is there, from the folder of the file that names it, or an entry's path ends with
    /// it. How the platform spells the names inside is not published: what could be meant counts.
    fn holds(&self, top: &str, name: &str) -> bool {
        let name = name.trim_start_matches('/');
        let (Some(here), Some(name)) = (resolve(top, name), resolve("", name)) else {
            return false;
        };
        has_at(&self.paths, &here) || has_at(&self.reversed, &reversed(&name))
    }
}

/// Whether a path is in the set, or paths below it.
fn has_at(paths: &BTreeSet<String>, path: &str) -> bool {
    let folder = format!("{path}/");
    let below = paths.range(folder.clone()..).next();
    paths.contains(path) || below.is_some_and(|below| below.starts_with(&folder))
}

fn reversed(path: &str) -> String {
    let parts: Vec<&str> = path.rsplit('/').collect();
    parts.join("/")
}

/// Where a path leads from a folder, without `.` and `..`; `None` where it leads out, or into another system's paths.
fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_is_found_by_its_path_its_folder_or_its_end() {
        let mut contents = Contents::default();
        for path in ["top/config/boot.sh", "top/bundles/data/1.0/app/bin/run"] {
            contents.paths.insert(path.to_owned());
            contents.reversed.insert(reversed(path));
        }
        for name in [
            "config/boot.sh",
            "/config/./boot.sh",
            "boot.sh",
            "bundles/data/1.0/app",
            "1.0/app/bin/run",
        ] {
            assert!(contents.holds("top", name), "{name}");
        }
        for name in [
            "boot",
            "oot.sh",
            "config/boot.sh/x",
            "bundles/data/1.0/ap",
            "../../x",
        ] {
            assert!(!contents.holds("top", name), "{name}");
        }
    }

    #[test]
    fn paths_and_links_are_resolved_and_may_not_lead_out() {
        for (folder, path, expected) in [
            ("", "./a/b", Some("a/b")),
            ("", "a/../b/", Some("b")),
            ("a/b", "../c", Some("a/c")),
            ("", "..", None),
            ("a", "../../c", None),
            ("", "/etc/passwd", None),
            ("", "c\\d", None),
            ("", "./", Some("")),
        ] {
            assert_eq!(resolve(folder, path).as_deref(), expected, "{path}");
        }
    }
}
