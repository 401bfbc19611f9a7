//! How a container shows its files: one after the other, each once, without keeping any.

use std::io::{self, Read};

use domain::bag::verify::{Damage, Finding};

use super::error::Stopped;

/// More files than any bag of ours has; each costs a few hundred bytes of memory.
pub(crate) const MOST_FILES: u64 = 1_000_000;
const LONGEST_PATH_BYTES: usize = 4096;

/// The content of a file, read from its first byte to its last.
pub(crate) trait Content: Read {
    /// Where in the container its next byte lies as it is; `None` where it is packed.
    fn place(&mut self) -> io::Result<Option<u64>> {
        Ok(None)
    }
}

impl Content for std::fs::File {}

/// Is shown the files of a bag.
pub(crate) trait Visitor {
    /// A file by its path below the top folder; `bytes` is what the container says of its size. `content` may be read or not;
    /// its errors are for [`judge`] to distinguish.
    ///
    /// An error is one of the disk, and ends the visit.
    fn file(&mut self, path: &str, bytes: u64, content: &mut dyn Content) -> io::Result<()>;

    /// A file of which only this is known.
    fn unreadable(&mut self, path: &str, damage: Damage);

    /// Something that is wrong.
    fn finding(&mut self, finding: Finding);

    /// The container cannot be read on.
    fn broke_off(&mut self);
}

/// Distinguishes damage of the data from a failure of the disk: the first is a finding, the second an error.
pub(crate) fn judge(error: io::Error) -> Result<Damage, io::Error> {
    if error.raw_os_error().is_some() {
        return Err(error);
    }
    let found = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Damage>());
    Ok(match found {
        Some(damage) => damage.clone(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Damage::EndsEarly,
        None => Damage::Data,
    })
}

/// Wraps damage so that it passes through [`Read`] and is found again by [`judge`].
pub(crate) fn damaged(damage: Damage) -> io::Error {
    io::Error::other(damage)
}

/// A layer that the whole container lies in (gzip, age): where it is damaged, nothing behind can be read.
pub(crate) struct Layer<R>(pub(crate) R);

fn of_layer(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::UnexpectedEof {
        error
    } else {
        damaged(Damage::OuterLayer)
    }
}

impl<R: Read> Read for Layer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(of_layer)
    }
}

impl<R: io::Seek> io::Seek for Layer<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to).map_err(of_layer)
    }
}

/// Passes on what lies below the one top folder (RFC 8493 §4), by its path in there, and reports the rest.
pub(crate) struct BelowTop<'a> {
    visitor: &'a mut dyn Visitor,
    top: Option<String>,
    files: u64,
}

impl<'a> BelowTop<'a> {
    pub(crate) fn new(visitor: &'a mut dyn Visitor) -> Self {
        Self {
            visitor,
            top: None,
            files: 0,
        }
    }

    /// The top folder, once a file was seen.
    pub(crate) fn top(self) -> Option<String> {
        self.top
    }

    /// A file, by its path in the container.
    pub(crate) fn file(
        &mut self,
        path: &str,
        bytes: u64,
        content: &mut dyn Content,
    ) -> Result<(), Stopped> {
        self.count()?;
        if let Some(below) = self.below(path) {
            self.visitor.file(below, bytes, content)?;
        }
        Ok(())
    }

    /// A file of which only this is known.
    pub(crate) fn unreadable(&mut self, path: &str, damage: Damage) -> Result<(), Stopped> {
        self.count()?;
        if let Some(below) = self.below(path) {
            self.visitor.unreadable(below, damage);
        }
        Ok(())
    }

    /// Damage at or after the entry of this path in the container.
    pub(crate) fn damage(&mut self, near: Option<&str>, damage: Damage) {
        let near = near.map(|path| {
            let below = self.top.as_deref().and_then(|top| strip_folder(path, top));
            below.unwrap_or(path).to_owned()
        });
        self.visitor.finding(Finding::Damaged { near, damage });
    }

    /// The container cannot be read on.
    pub(crate) fn broke_off(&mut self) {
        self.visitor.broke_off();
    }

    fn count(&mut self) -> Result<(), Stopped> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(Stopped::TooManyFiles);
        }
        Ok(())
    }

    fn below<'p>(&mut self, path: &'p str) -> Option<&'p str> {
        let path = path.strip_prefix("./").unwrap_or(path);
        if !is_safe(path) {
            self.visitor.finding(Finding::Damaged {
                near: Some(path.to_owned()),
                damage: Damage::UnsafePath,
            });
            return None;
        }
        let inside = path.split_once('/').and_then(|(top, _)| {
            let expected = self.top.get_or_insert_with(|| top.to_owned());
            strip_folder(path, expected)
        });
        if inside.is_none() {
            self.visitor.finding(Finding::Outside {
                path: path.to_owned(),
            });
        }
        inside
    }
}

fn strip_folder<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// Whether a path stays where it is unpacked, on every system.
pub(crate) fn is_safe(path: &str) -> bool {
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    path.len() <= LONGEST_PATH_BYTES
        && !has_drive
        && !path.contains(['\\', '\0'])
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_is_not_safe() {
        for path in ["a", "a/b.c", "bag/data/x", "bag/10:30", "…/…"] {
            assert!(is_safe(path), "{path}");
        }
        for path in [
            "", "/a", "a//b", "../a", "a/../b", "a/.", "C:\\a", "a\\b", "c:a", "a\0",
        ] {
            assert!(!is_safe(path), "{path}");
        }
        assert!(!is_safe(&"a".repeat(5000)));
    }

    #[test]
    fn a_failing_disk_is_no_damage() {
        assert!(judge(io::Error::from_raw_os_error(5)).is_err());
        assert_eq!(
            judge(io::ErrorKind::UnexpectedEof.into()).unwrap(),
            Damage::EndsEarly
        );
        assert_eq!(judge(damaged(Damage::Checksum)).unwrap(), Damage::Checksum);
        assert_eq!(judge(io::Error::other("anything")).unwrap(), Damage::Data);
    }
}
