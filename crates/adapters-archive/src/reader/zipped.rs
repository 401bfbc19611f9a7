//! Zip files: each file is found through the directory at the end and compared with the header before its data; every byte
//! must belong to something.

use std::io::{self, Read, SeekFrom};

use domain::bag::verify::Damage;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::error::Stopped;
use super::input::ReadSeek;
use super::visit::{BelowTop, Content, judge};

/// A data descriptor may follow an entry's data (APPNOTE 4.3.9): with or without signature, sizes of 4 or 8 bytes.
const DATA_DESCRIPTOR_BYTES: [u64; 4] = [12, 16, 20, 24];
const LOCAL_HEADER_BYTES: usize = 30;
const END_RECORD_BYTES: i64 = 22;
const END_RECORD: &[u8; 4] = b"PK\x05\x06";

type Archive = ZipArchive<Box<dyn ReadSeek>>;

/// An entry as the directory describes it.
struct Listed {
    index: usize,
    path: String,
    header_start: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link, or something encrypted.
    Other,
}

/// Shows all files in the order in which they lie in the file.
pub(crate) fn visit(reader: Box<dyn ReadSeek>, visitor: &mut BelowTop<'_>) -> Result<(), Stopped> {
    let mut archive = match ZipArchive::new(reader) {
        Ok(archive) => archive,
        Err(error) => {
            cannot_open(error, visitor)?;
            return Ok(());
        }
    };
    let mut entries = listed(&archive)?;
    entries.sort_unstable_by_key(|entry| entry.header_start);
    let enforced = !archive.has_duplicate_names();
    let mut gaps = Gaps::default();
    for entry in entries {
        gaps.until(entry.header_start);
        let end = if entry.header_start < gaps.from {
            visitor.unreadable(&entry.path, Damage::HeadersDisagree)?;
            None
        } else {
            show(&mut archive, &entry, enforced, visitor)?
        };
        gaps.go_on(end, entry.path);
    }
    gaps.until(archive.central_directory_start());
    check_rest(archive, gaps.found, visitor)
}

/// Bytes between two entries that belong to neither.
struct Gap {
    at: u64,
    bytes: u64,
    after: Option<String>,
}

#[derive(Default)]
struct Gaps {
    from: u64,
    after: Option<String>,
    found: Vec<Gap>,
}

impl Gaps {
    fn until(&mut self, next: u64) {
        let bytes = next.saturating_sub(self.from);
        let descriptor = self.after.is_some() && DATA_DESCRIPTOR_BYTES.contains(&bytes);
        if bytes > 0 && !descriptor {
            self.found.push(Gap {
                at: self.from,
                bytes,
                after: self.after.clone(),
            });
        }
    }

    fn go_on(&mut self, end: Option<u64>, path: String) {
        self.from = self.from.max(end.unwrap_or_default());
        self.after = Some(path);
    }
}

fn cannot_open(error: ZipError, visitor: &mut BelowTop<'_>) -> Result<(), Stopped> {
    let damage = match error {
        ZipError::Io(error) => match judge(error)? {
            Damage::OuterLayer => Damage::OuterLayer,
            _ => Damage::Directory,
        },
        _ => Damage::Directory,
    };
    visitor.damage(None, damage);
    visitor.broke_off();
    Ok(())
}

fn listed(archive: &Archive) -> Result<Vec<Listed>, Stopped> {
    if archive.len() as u64 > super::visit::MOST_FILES {
        return Err(Stopped::TooManyFiles);
    }
    let entries = (0..archive.len()).filter_map(|index| {
        let entry = archive.by_index_data(index).ok()?;
        let kind = if entry.is_dir() {
            Kind::Folder
        } else if entry.is_symlink() || entry.encrypted() {
            Kind::Other
        } else {
            Kind::File
        };
        Some(Listed {
            index,
            path: String::from_utf8_lossy(entry.name_raw()).into_owned(),
            header_start: entry.header_start(),
            kind,
        })
    });
    Ok(entries.collect())
}

/// Shows one entry; where its data ends, if that could be found out.
fn show(
    archive: &mut Archive,
    entry: &Listed,
    enforced: bool,
    visitor: &mut BelowTop<'_>,
) -> Result<Option<u64>, Stopped> {
    let checked = ZipReadOptions::new().enforce_header_consistency(enforced);
    if let Err(error) = archive.by_index_with_options(entry.index, checked) {
        let damage = match error {
            ZipError::Io(error) => judge(error)?,
            _ => Damage::HeadersDisagree,
        };
        visitor.damage(Some(&entry.path), damage);
    }
    let mut file = match archive.by_index(entry.index) {
        Ok(file) => file,
        Err(ZipError::Io(error)) => {
            visitor.unreadable(&entry.path, judge(error)?)?;
            return Ok(None);
        }
        Err(_) => {
            visitor.unreadable(&entry.path, Damage::Header)?;
            return Ok(None);
        }
    };
    let start = file.data_start();
    let end = start.map(|start| start.saturating_add(file.compressed_size()));
    let is_plain = file.compression() == CompressionMethod::Stored;
    match entry.kind {
        Kind::Folder => {}
        Kind::Other => visitor.unreadable(&entry.path, Damage::NotAFile)?,
        Kind::File => {
            let bytes = file.size();
            let place = start.filter(|_| is_plain && file.compressed_size() == bytes);
            let content = &mut file;
            visitor.file(&entry.path, bytes, &mut Unpacked { content, place })?;
        }
    }
    Ok(end)
}

/// Gives the errors of the `zip` crate our words: it knows a wrong checksum by its text alone.
struct Unpacked<R> {
    content: R,
    place: Option<u64>,
}

impl<R: Read> Content for Unpacked<R> {
    /// Where it begins: nobody asks later.
    fn place(&mut self) -> io::Result<Option<u64>> {
        Ok(self.place)
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let is_checksum = error.raw_os_error().is_none()
                && error.to_string().to_ascii_lowercase().contains("checksum");
            if is_checksum {
                super::visit::damaged(Damage::Checksum)
            } else {
                error
            }
        })
    }
}

/// Names what lies in the gaps, and looks that nothing follows the end record (APPNOTE 4.3.16) and its comment.
fn check_rest(archive: Archive, gaps: Vec<Gap>, visitor: &mut BelowTop<'_>) -> Result<(), Stopped> {
    let comment = i64::try_from(archive.comment().len()).unwrap_or_default();
    let mut reader = archive.into_inner();
    for gap in gaps {
        match hidden_name(&mut reader, &gap).map_err(judge) {
            Ok(Some(hidden)) => visitor.damage(Some(&hidden), Damage::Hidden),
            Ok(None) => visitor.damage(gap.after.as_deref(), Damage::Stray { bytes: gap.bytes }),
            Err(damage) => visitor.damage(gap.after.as_deref(), damage?),
        }
    }
    match ends_after(&mut reader, comment).map_err(judge) {
        Ok(true) => {}
        Ok(false) => visitor.damage(None, Damage::End),
        Err(damage) => visitor.damage(None, damage?),
    }
    Ok(())
}

/// Whether the last bytes are an end record without a comment.
pub(crate) fn has_end(reader: &mut dyn ReadSeek) -> io::Result<bool> {
    let is_long_enough = reader.seek(SeekFrom::End(0))? >= END_RECORD_BYTES.unsigned_abs();
    Ok(is_long_enough && ends_after(reader, 0)?)
}

fn ends_after(reader: &mut dyn ReadSeek, comment_bytes: i64) -> io::Result<bool> {
    let mut signature = [0; 4];
    reader.seek(SeekFrom::End(-END_RECORD_BYTES - comment_bytes))?;
    reader.read_exact(&mut signature)?;
    Ok(signature == *END_RECORD)
}

/// The name in the local header (APPNOTE 4.3.7) that a gap begins with, if it does.
fn hidden_name(reader: &mut dyn ReadSeek, gap: &Gap) -> io::Result<Option<String>> {
    if gap.bytes < LOCAL_HEADER_BYTES as u64 {
        return Ok(None);
    }
    let mut header = [0; LOCAL_HEADER_BYTES];
    reader.seek(SeekFrom::Start(gap.at))?;
    reader.read_exact(&mut header)?;
    let [b'P', b'K', 3, 4, .., low, high, _, _] = header else {
        return Ok(None);
    };
    let mut name = Vec::new();
    let length = u64::from(u16::from_le_bytes([low, high]));
    reader.take(length.min(gap.bytes)).read_to_end(&mut name)?;
    Ok(Some(String::from_utf8_lossy(&name).into_owned()))
}
