//! Bags read back: zip, tar, tar.gz, each also inside age, or an unpacked folder, distinguished by their first bytes.
//!
//! A bag may come from anybody: paths are never opened as they stand in it, and what is kept of it is bounded by the number of
//! its files. [`open_bag`] is the way in; [`crate::verify()`] and [`list`] use what it gives.

mod description;
mod error;
mod folder;
mod input;
mod listing;
#[cfg(test)]
pub(crate) mod sample;
mod tarball;
#[cfg(test)]
mod tests;
mod unlock;
pub(crate) mod visit;
mod zipped;

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use domain::bag::verify::Damage;
use flate2::bufread::MultiGzDecoder;
use serde::Serialize;

pub use description::{delivered, export_json};
pub use error::ReadError;
pub(crate) use input::{BUFFER_BYTES, ReadSeek};
pub use listing::{ListedFile, Listing, list};
pub(crate) use tarball::{Ending, Forward, TarKind, Tarball, read_over};
pub use unlock::Unlock;

use error::{Stopped, not_a_bag};
use visit::{BelowTop, Layer, Visitor, judge};

/// A zip file is read entry by entry, with a jump before each.
const ZIP_BUFFER_BYTES: usize = 32 * 1024;
/// Enough of a file to know its kind by: the mark of tar stands in its first header.
const MARK_BYTES: u64 = 512;
const TAR_MARK: std::ops::Range<usize> = 257..262;

/// What a bag is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum StoredFormat {
    /// A zip file.
    #[serde(rename = "zip")]
    Zip,
    /// A tar file.
    #[serde(rename = "tar")]
    Tar,
    /// A tar file compressed with gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// Nothing: a folder.
    #[serde(rename = "folder")]
    Folder,
    /// What is inside of an encrypted bag is not known, because its first part is damaged.
    #[serde(rename = "unknown")]
    Unknown,
}

/// A bag that was opened and not read yet.
pub struct BagSource {
    path: PathBuf,
    format: StoredFormat,
    encrypted: bool,
    content: Option<Box<dyn ReadSeek>>,
}

impl std::fmt::Debug for BagSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BagSource")
            .field("path", &self.path)
            .field("format", &self.format)
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}

/// Opens a bag: its kind is known by its content, whatever its name is. `unlock` is needed for an encrypted one only.
pub fn open_bag(path: &Path, unlock: Option<&Unlock>) -> Result<BagSource, ReadError> {
    let failed = |source| ReadError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    };
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Ok(BagSource {
            path: path.to_owned(),
            format: StoredFormat::Folder,
            encrypted: false,
            content: None,
        });
    }
    if !about.is_file() {
        return Err(not_a_bag(path, "it is neither a file nor a folder"));
    }
    let file = File::open(path).map_err(failed)?;
    open_content(path, Box::new(file), unlock)
}

/// The same of a file that is open, or of what can be read like one.
pub(crate) fn open_content(
    path: &Path,
    mut content: Box<dyn ReadSeek>,
    unlock: Option<&Unlock>,
) -> Result<BagSource, ReadError> {
    let failed = |source| ReadError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    };
    let mark = mark_of(&mut content).map_err(failed)?;
    let encrypted = mark.starts_with(unlock::MAGIC);
    let mut mark = Ok(mark);
    if encrypted {
        content = unlock::decrypted(path, content, unlock)?;
        mark = match mark_of(&mut content).map_err(judge) {
            Ok(mark) => Ok(mark),
            Err(Ok(_damage)) => Err(StoredFormat::Unknown),
            Err(Err(error)) => return Err(failed(error)),
        };
    }
    let format = match mark {
        Err(unknown) => unknown,
        Ok(mark) => match encoding_of(&mark, &mut content).map_err(failed)? {
            Some(format) => format,
            None => return Err(not_a_bag(path, what_else(&mark))),
        },
    };
    content.rewind().map_err(failed)?;
    Ok(BagSource {
        path: path.to_owned(),
        format,
        encrypted,
        content: Some(content),
    })
}

/// The first bytes; the file is at its start again afterwards.
fn mark_of(file: &mut dyn ReadSeek) -> io::Result<Vec<u8>> {
    let mut mark = Vec::new();
    file.take(MARK_BYTES).read_to_end(&mut mark)?;
    file.rewind()?;
    Ok(mark)
}

fn encoding_of(mark: &[u8], content: &mut dyn ReadSeek) -> io::Result<Option<StoredFormat>> {
    Ok(
        if mark.starts_with(b"PK\x03\x04") || mark.starts_with(b"PK\x05\x06") {
            Some(StoredFormat::Zip)
        } else if mark.starts_with(&[0x1f, 0x8b]) {
            Some(StoredFormat::TarGz)
        } else if mark.get(TAR_MARK) == Some(b"ustar") || tarball::is_header(mark) {
            Some(StoredFormat::Tar)
        } else {
            // A zip file whose first bytes are damaged is still known by its last.
            zipped::has_end(content)?.then_some(StoredFormat::Zip)
        },
    )
}

fn what_else(mark: &[u8]) -> &'static str {
    if mark.is_empty() {
        "it is empty"
    } else if mark.starts_with(b"-----BEGIN AGE") {
        "it is an armored age file, which is not read"
    } else {
        "it is neither a zip file nor a tar file nor a tar.gz file"
    }
}

impl BagSource {
    /// What it is packed in.
    pub fn format(&self) -> StoredFormat {
        self.format
    }

    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Shows every file once, in the order in which it lies there; the name of the top folder.
    pub(crate) fn visit(self, visitor: &mut dyn Visitor) -> Result<Option<String>, ReadError> {
        let Self {
            path,
            format,
            content,
            ..
        } = self;
        show(&path, format, content, visitor).map_err(|stopped| match stopped {
            Stopped::Io(source) => ReadError::Io {
                action: "read",
                path,
                source,
            },
            Stopped::TooManyFiles => ReadError::TooManyFiles {
                path,
                limit: visit::MOST_FILES,
            },
        })
    }
}

fn show(
    path: &Path,
    format: StoredFormat,
    content: Option<Box<dyn ReadSeek>>,
    visitor: &mut dyn Visitor,
) -> Result<Option<String>, Stopped> {
    let Some(content) = content else {
        folder::visit(path, visitor)?;
        let name = path.file_name().map(|name| name.to_string_lossy());
        return Ok(name.map(std::borrow::Cow::into_owned));
    };
    let mut below = BelowTop::new(visitor);
    match format {
        StoredFormat::Zip => {
            let buffered = BufReader::with_capacity(ZIP_BUFFER_BYTES, content);
            zipped::visit(Box::new(buffered), &mut below)?;
        }
        StoredFormat::TarGz => {
            let buffered = BufReader::with_capacity(BUFFER_BYTES, content);
            visit_tar(Layer(MultiGzDecoder::new(buffered)), &mut below)?;
        }
        StoredFormat::Tar | StoredFormat::Folder => {
            visit_tar(BufReader::with_capacity(BUFFER_BYTES, content), &mut below)?;
        }
        StoredFormat::Unknown => {
            below.damage(None, Damage::OuterLayer);
            below.broke_off();
        }
    }
    Ok(below.top())
}

impl<R: io::BufRead> Forward for Layer<MultiGzDecoder<R>> {
    fn pass_over(&mut self, bytes: u64) -> io::Result<u64> {
        read_over(self, bytes)
    }
}

impl Forward for BufReader<Box<dyn ReadSeek>> {
    fn place(&mut self) -> io::Result<Option<u64>> {
        self.stream_position().map(Some)
    }

    fn pass_over(&mut self, bytes: u64) -> io::Result<u64> {
        if bytes <= BUFFER_BYTES as u64 {
            return read_over(self, bytes);
        }
        let here = self.stream_position()?;
        let end = self.get_mut().seek(SeekFrom::End(0))?;
        // The inner reader was moved behind the buffer's back: to seek by itself makes the buffer forget.
        let there = self.seek(SeekFrom::Start(here.saturating_add(bytes).min(end)))?;
        Ok(there - here)
    }
}

fn visit_tar<R: Forward>(reader: R, visitor: &mut BelowTop<'_>) -> Result<(), Stopped> {
    let mut tar = Tarball::new(reader, Ending::Marked);
    let mut last: Option<String> = None;
    loop {
        let was_broken = tar.is_broken();
        let next = tar.next_entry();
        match tar.take_stray() {
            0 => {}
            bytes => visitor.damage(last.as_deref(), Damage::Stray { bytes }),
        }
        let entry = match next {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(error) => {
                let damage = judge(error)?;
                // What broke while an entry was read was shown with that entry.
                if !was_broken {
                    visitor.damage(last.as_deref(), damage);
                }
                visitor.broke_off();
                return Ok(());
            }
        };
        match entry.kind {
            TarKind::File => visitor.file(&entry.path, entry.bytes, &mut tar)?,
            TarKind::Folder => {}
            TarKind::HardLink(_) | TarKind::SymbolicLink(_) | TarKind::Other => {
                visitor.unreadable(&entry.path, Damage::NotAFile)?;
            }
        }
        last = Some(entry.path);
    }
}
