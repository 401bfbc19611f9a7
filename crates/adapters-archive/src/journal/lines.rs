//! The journal's form: lines that prove themselves.
//!
//! `<CRC-32 of the rest, 8 hex digits> <sequence> <batch> <JSON>\n`, where `batch` is the sequence number of the first line
//! that was flushed together with this one. A batch is written only after the one before it was flushed. So unreadable lines
//! that belong to the last batch are a write that was cut short by a kill or a loss of power: no caller was answered, so
//! nothing was done that relies on them. Unreadable lines before that are damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::spool::{LockedFile, cut, sync_file};

/// Longest line; a document's facts are the longest thing in a journal.
const LONGEST_LINE_BYTES: u64 = 64 * 1024 * 1024;

/// Hexadecimal digits of a line's sum.
const SUM_DIGITS: usize = 8;

/// Appends records to a journal file.
pub(crate) struct Lines {
    file: LockedFile,
    next: u64,
    end: u64,
    /// After a failed flush nobody knows what is on disk: nothing may be added.
    state: FileState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileState {
    Sound,
    Unknown,
    /// It is held for its lock alone.
    NotWritten,
}

impl Lines {
    /// Begins an empty journal in this file, whatever it held.
    pub(crate) fn new(file: impl Into<LockedFile>) -> io::Result<Self> {
        Self::after(file, 0, 0)
    }

    /// Appends after the first `end` bytes, which hold `next` lines; the rest is cut off.
    pub(crate) fn after(file: impl Into<LockedFile>, next: u64, end: u64) -> io::Result<Self> {
        let file = file.into();
        cut(&file, end)?;
        Ok(Self {
            file,
            next,
            end,
            state: FileState::Sound,
        })
    }

    /// Holds a file for its lock alone: nothing is written to it.
    pub(crate) fn locked_only(file: LockedFile) -> Self {
        Self {
            file,
            next: 0,
            end: 0,
            state: FileState::NotWritten,
        }
    }

    /// Writes these records as one batch and flushes them.
    pub(crate) fn append<R: Serialize>(&mut self, records: &[R]) -> io::Result<()> {
        match self.state {
            _ if records.is_empty() => return Ok(()),
            FileState::NotWritten => return Ok(()),
            FileState::Unknown => return Err(io::Error::other("an earlier write to it failed")),
            FileState::Sound => {}
        }
        let mut batch = Vec::new();
        let mut sequence = self.next;
        for record in records {
            write_line(&mut batch, sequence, self.next, record)?;
            sequence += 1;
        }
        self.write_and_flush(&batch)?;
        self.next = sequence;
        self.end += batch.len() as u64;
        Ok(())
    }

    fn write_and_flush(&mut self, batch: &[u8]) -> io::Result<()> {
        // The position is not trusted: a failed write may have moved it.
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(batch));
        if let Err(error) = written {
            if self.file.set_len(self.end).is_err() {
                self.state = FileState::Unknown;
            }
            return Err(error);
        }
        sync_file(&self.file).inspect_err(|_| self.state = FileState::Unknown)
    }
}

fn write_line(
    batch: &mut Vec<u8>,
    sequence: u64,
    first: u64,
    record: &impl Serialize,
) -> io::Result<()> {
    let start = batch.len();
    // In place: the facts of a long list are megabytes, which are not to be in memory several times.
    write!(batch, "{:08x} {sequence} {first} ", 0)?;
    serde_json::to_writer(&mut *batch, record)?;
    let (sum, rest) = batch[start..].split_at_mut(SUM_DIGITS);
    write!(&mut *sum, "{:08x}", crc32fast::hash(&rest[1..]))?;
    batch.push(b'\n');
    if (batch.len() - start) as u64 > LONGEST_LINE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a record is too long for the journal",
        ));
    }
    Ok(())
}

/// A journal file that is damaged before its last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The first line that cannot be read, counted from 1.
    pub(crate) line: u64,
}

/// What was read of a journal file.
pub(crate) struct Scan {
    /// Lines that are sound and follow each other from the first on.
    pub(crate) lines: u64,
    /// Where they end.
    pub(crate) end: u64,
    /// What is wrong after them, unless it is a write that was cut short.
    pub(crate) damage: Option<Damage>,
}

/// Reads a journal from its beginning and shows each sound record to `see`, up to the first unreadable line or until `see`
/// finds a record that contradicts those before it.
pub(crate) fn scan<R: DeserializeOwned>(
    file: &mut File,
    mut see: impl FnMut(R) -> ControlFlow<()>,
) -> io::Result<Scan> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let mut scan = Scan {
        lines: 0,
        end: 0,
        damage: None,
    };
    let mut sound = true;
    while let Some(line) = next_line(&mut reader)? {
        let lines_before = scan.lines;
        let damaged = match parse::<R>(&line) {
            Some(parsed) if sound && parsed.sequence == scan.lines => {
                match parsed.record.map(&mut see) {
                    Some(ControlFlow::Continue(())) => {
                        scan.lines += 1;
                        scan.end += line.len() as u64;
                        false
                    }
                    Some(ControlFlow::Break(())) | None => true,
                }
            }
            // A sound line after unreadable ones: were those flushed before it was written?
            Some(parsed) => parsed.first > scan.lines,
            None => false,
        };
        if damaged {
            scan.damage = Some(Damage {
                line: scan.lines + 1,
            });
            break;
        }
        sound &= scan.lines > lines_before;
    }
    Ok(scan)
}

/// A line whose sum is right.
struct Parsed<R> {
    sequence: u64,
    first: u64,
    /// `None` where it is nothing that this program writes.
    record: Option<R>,
}

fn parse<R: DeserializeOwned>(line: &[u8]) -> Option<Parsed<R>> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, rest) = text.split_once(' ')?;
    if sum.len() != SUM_DIGITS
        || u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(rest.as_bytes())
    {
        return None;
    }
    let (sequence, rest) = rest.split_once(' ')?;
    let (first, json) = rest.split_once(' ')?;
    Some(Parsed {
        sequence: sequence.parse().ok()?,
        first: first.parse().ok()?,
        record: serde_json::from_str(json).ok(),
    })
}

/// The next line with its end; a line longer than any we write comes in pieces, which prove nothing.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader
        .by_ref()
        .take(LONGEST_LINE_BYTES)
        .read_until(b'\n', &mut line)?;
    Ok((read > 0).then_some(line))
}
