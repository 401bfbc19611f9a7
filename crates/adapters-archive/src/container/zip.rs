//! ZIP (PKWARE APPNOTE 6.3.10): local headers with CRC and sizes in them, never a data descriptor; zip64 where it is needed.
//!
//! A patchable head always carries the zip64 field, since its content may grow past 4 GiB. The central directory and the
//! end records use zip64 only for values that need it, which is what every reader understands best.

use std::io::{self, Write};

use domain::ports::Storage;
use jiff::tz::TimeZone;

use super::encode::Encoding;
use super::member::{Container, Content, FILE_MODE, HeadForm, Member, Placed};

/// Deflate and zip64 are understood from these versions of the format on (APPNOTE 4.4.3.2).
const VERSION_DEFLATE: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// Upper byte of "version made by": access rights are Unix's (APPNOTE 4.4.2).
const MADE_BY_UNIX: u16 = 3 << 8;
/// `S_IFREG`, for the upper half of the external attributes.
const REGULAR_FILE: u32 = 0o100_000;
const ZIP64_FIELD: u16 = 0x0001;

/// The zip container.
pub(super) struct Zip;

impl Container for Zip {
    fn head(&self, member: &Member, content: Content, form: HeadForm) -> Vec<u8> {
        let wide = form == HeadForm::Patchable
            || needs_zip64(content.bytes)
            || needs_zip64(content.packed);
        let mut head = Record::new(0x0403_4b50);
        head.u16(if wide { VERSION_ZIP64 } else { VERSION_DEFLATE });
        head.common(member, content);
        // Both sizes go together in a local header's zip64 field (APPNOTE 4.5.3).
        head.u32(if wide { u32::MAX } else { low(content.packed) });
        head.u32(if wide { u32::MAX } else { low(content.bytes) });
        let name = member.name();
        head.u16(length(&name));
        head.u16(if wide { 20 } else { 0 });
        head.bytes(name.as_bytes());
        if wide {
            head.zip64(&[content.bytes, content.packed]);
        }
        head.0
    }

    fn encoding(&self, storage: Storage) -> Encoding {
        match storage {
            Storage::Stored => Encoding::Plain,
            Storage::Compressed => Encoding::Deflate,
        }
    }

    fn padding(&self, _bytes: u64) -> usize {
        0
    }

    fn tail(&self, _member: &Member, _content: Content) -> Vec<u8> {
        Vec::new()
    }

    fn end(&self, placed: &[Placed], offset: u64, output: &mut dyn Write) -> io::Result<()> {
        let mut directory_bytes = 0;
        for member in placed {
            let header = central_header(member);
            directory_bytes += header.len() as u64;
            output.write_all(&header)?;
        }
        output.write_all(&end_records(placed.len() as u64, offset, directory_bytes))
    }
}

/// One file header of the central directory (APPNOTE 4.3.12).
fn central_header(placed: &Placed) -> Vec<u8> {
    let Placed {
        member,
        content,
        span,
    } = placed;
    let wide: Vec<u64> = [content.bytes, content.packed, span.offset]
        .into_iter()
        .filter(|&value| needs_zip64(value))
        .collect();
    let field_bytes = if wide.is_empty() {
        0
    } else {
        4 + 8 * wide.len()
    };
    let mut header = Record::new(0x0201_4b50);
    header.u16(MADE_BY_UNIX | VERSION_ZIP64);
    header.u16(if wide.is_empty() {
        VERSION_DEFLATE
    } else {
        VERSION_ZIP64
    });
    header.common(member, *content);
    header.u32(low(content.packed));
    header.u32(low(content.bytes));
    let name = member.name();
    header.u16(length(&name));
    header.u16(u16::try_from(field_bytes).unwrap_or(0));
    // No comment, disk 0, no internal attributes.
    header.bytes(&[0; 6]);
    header.u32((REGULAR_FILE | FILE_MODE) << 16);
    header.u32(low(span.offset));
    header.bytes(name.as_bytes());
    if !wide.is_empty() {
        header.zip64(&wide);
    }
    header.0
}

/// The end of central directory record, with its zip64 twin and locator where one of its values needs them
/// (APPNOTE 4.3.14 to 4.3.16).
fn end_records(entries: u64, directory_offset: u64, directory_bytes: u64) -> Vec<u8> {
    let short_count = u16::try_from(entries).unwrap_or(u16::MAX);
    let wide = short_count == u16::MAX
        || needs_zip64(directory_offset)
        || needs_zip64(directory_offset + directory_bytes);
    let mut records = Vec::new();
    if wide {
        let mut zip64 = Record::new(0x0606_4b50);
        // Size of the rest of this record.
        zip64.u64(44);
        zip64.u16(MADE_BY_UNIX | VERSION_ZIP64);
        zip64.u16(VERSION_ZIP64);
        // This disk and the directory's.
        zip64.bytes(&[0; 8]);
        zip64.u64(entries);
        zip64.u64(entries);
        zip64.u64(directory_bytes);
        zip64.u64(directory_offset);
        records.extend(zip64.0);
        let mut locator = Record::new(0x0706_4b50);
        locator.u32(0);
        locator.u64(directory_offset + directory_bytes);
        locator.u32(1);
        records.extend(locator.0);
    }
    let mut end = Record::new(0x0605_4b50);
    end.u32(0);
    end.u16(short_count);
    end.u16(short_count);
    end.u32(low(directory_bytes));
    end.u32(low(directory_offset));
    end.u16(0);
    records.extend(end.0);
    records
}

fn needs_zip64(value: u64) -> bool {
    value >= u64::from(u32::MAX)
}

/// The value, or the mark that says it stands in the zip64 field.
fn low(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// At most 100 bytes a part and a handful of parts: see [`domain::model::SafeName`].
fn length(name: &str) -> u16 {
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

/// MS-DOS time and date (APPNOTE 4.4.6), in UTC, from 1980 to 2107.
fn dos_time(member: &Member) -> (u16, u16) {
    let time = TimeZone::UTC.to_datetime(member.modified);
    let unsigned = |value: i8| u16::try_from(value).unwrap_or(0);
    match u16::try_from(time.year()) {
        Ok(year @ 1980..=2107) => (
            (unsigned(time.hour()) << 11)
                + (unsigned(time.minute()) << 5)
                + unsigned(time.second()) / 2,
            ((year - 1980) << 9) + (unsigned(time.month()) << 5) + unsigned(time.day()),
        ),
        _ => (0, (1 << 5) + 1),
    }
}

/// A little-endian record being put together.
struct Record(Vec<u8>);

impl Record {
    fn new(signature: u32) -> Self {
        Self(signature.to_le_bytes().to_vec())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// What local and central headers share: flags, method, time, date, CRC-32.
    fn common(&mut self, member: &Member, content: Content) {
        let (time, date) = dos_time(member);
        self.u16(0);
        self.u16(match member.storage {
            Storage::Stored => 0,
            Storage::Compressed => 8,
        });
        self.u16(time);
        self.u16(date);
        self.u32(content.crc32);
    }

    fn zip64(&mut self, values: &[u64]) {
        self.u16(ZIP64_FIELD);
        self.u16(u16::try_from(8 * values.len()).unwrap_or(0));
        for value in values {
            self.u64(*value);
        }
    }
}
