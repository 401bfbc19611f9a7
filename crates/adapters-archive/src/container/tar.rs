//! tar (POSIX.1-1988 "ustar"): sizes beyond 8 GiB in base-256, names beyond what the prefix holds in a PAX record.

use std::io::{self, Write};

use ::tar::{EntryType, Header};
use domain::ports::Storage;

use super::encode::Encoding;
use super::member::{Container, Content, FILE_MODE, HeadForm, Member, Placed};

const BLOCK_BYTES: usize = 512;

/// The tar container.
pub(super) struct Tar;

impl Container for Tar {
    fn head(&self, member: &Member, content: Content, _form: HeadForm) -> Vec<u8> {
        header_blocks(member, content.bytes)
    }

    fn encoding(&self, _storage: Storage) -> Encoding {
        Encoding::Plain
    }

    fn padding(&self, bytes: u64) -> usize {
        padding_of(bytes)
    }

    fn tail(&self, _member: &Member, _content: Content) -> Vec<u8> {
        Vec::new()
    }

    fn end(&self, _placed: &[Placed], _offset: u64, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(&END_OF_ARCHIVE)
    }
}

/// Two blocks of zeros.
pub(super) const END_OF_ARCHIVE: [u8; 2 * BLOCK_BYTES] = [0; 2 * BLOCK_BYTES];

/// Zeros that fill the last block.
pub(super) fn padding_of(bytes: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from((block - bytes % block) % block).unwrap_or(0)
}

/// The header of a file; its length depends on the name alone.
pub(super) fn header_blocks(member: &Member, bytes: u64) -> Vec<u8> {
    let mut header = header(member, bytes, EntryType::Regular);
    let mut blocks = Vec::with_capacity(BLOCK_BYTES);
    let name = member.name();
    if header.set_path(&name).is_err() {
        blocks = long_name_blocks(member, &name);
        set_last_part(&mut header, &name);
    }
    header.set_cksum();
    blocks.extend_from_slice(header.as_bytes());
    blocks
}

/// A PAX extended header that holds the path (POSIX.1-2001), for names that ustar cannot split.
fn long_name_blocks(member: &Member, name: &str) -> Vec<u8> {
    let record = pax_record("path", name);
    let mut header = header(member, record.len() as u64, EntryType::XHeader);
    set_last_part(&mut header, name);
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(record.as_bytes());
    blocks.resize(blocks.len() + padding_of(record.len() as u64), 0);
    blocks
}

/// `<length of all of this> <key>=<value>\n`.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

fn header(member: &Member, bytes: u64, kind: EntryType) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(bytes);
    header.set_mode(FILE_MODE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(member.modified_secs());
    header
}

/// The name for readers that do not know PAX: at most 100 bytes ([`domain::model::SafeName`]), so it fits.
fn set_last_part(header: &mut Header, name: &str) {
    let last = name.rsplit('/').next().unwrap_or(name);
    for (to, from) in header.as_old_mut().name.iter_mut().zip(last.bytes()) {
        *to = from;
    }
}
