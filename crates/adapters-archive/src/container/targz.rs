//! tar.gz: one gzip member for each file (RFC 1952 §2.2), so that the archive can be cut at a member's end and go on.
//!
//! A member is written by hand: the tar header lies in a stored block of its own, whose bytes can be replaced when the size
//! is known; what follows is any deflate stream, since a stored block ends on a byte. The trailer's CRC-32 is combined from
//! the header's, the content's and the padding's, so that replacing the header costs no second reading.

use std::io::{self, Write};

use crc32fast::Hasher;
use domain::ports::Storage;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::deflate::Deflater;
use super::encode::{Encoding, Final, block_header};
use super::member::{Container, Content, HeadForm, Member, Placed};
use super::tar::{END_OF_ARCHIVE, header_blocks, padding_of};

/// Magic, deflate, no flags, no time, no extra flags, system unknown (RFC 1952 §2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const SYSTEM_UNKNOWN: u8 = 0xff;

/// The tar.gz container.
pub(super) struct TarGz;

impl Container for TarGz {
    fn head(&self, member: &Member, content: Content, form: HeadForm) -> Vec<u8> {
        let blocks = header_blocks(member, content.bytes);
        let mut head = GZIP_HEADER.to_vec();
        match form {
            HeadForm::Patchable => {
                head.extend(block_header(blocks.len(), Final::No));
                head.extend(blocks);
            }
            HeadForm::Final => head.extend(deflated_up_to_a_byte(&blocks)),
        }
        head
    }

    fn encoding(&self, storage: Storage) -> Encoding {
        Encoding::within_deflate(storage)
    }

    fn padding(&self, bytes: u64) -> usize {
        padding_of(bytes)
    }

    fn tail(&self, member: &Member, content: Content) -> Vec<u8> {
        let blocks = header_blocks(member, content.bytes);
        let padding = vec![0; padding_of(content.bytes)];
        let mut crc = Hasher::new();
        crc.update(&blocks);
        crc.combine(&Hasher::new_with_initial_len(content.crc32, content.bytes));
        crc.update(&padding);
        let bytes = blocks.len() as u64 + content.bytes + padding.len() as u64;
        // ISIZE is the length modulo 2^32 (RFC 1952 §2.3.1).
        let [a, b, c, d, ..] = bytes.to_le_bytes();
        [crc.finalize().to_le_bytes(), [a, b, c, d]].concat()
    }

    fn end(&self, _placed: &[Placed], _offset: u64, output: &mut dyn Write) -> io::Result<()> {
        let mut member: GzEncoder<_> = GzBuilder::new()
            .operating_system(SYSTEM_UNKNOWN)
            .write(output, Compression::default());
        member.write_all(&END_OF_ARCHIVE)?;
        member.finish().map(drop)
    }
}

/// Deflate blocks none of which is the last, ending on a byte: another deflate stream may follow.
fn deflated_up_to_a_byte(blocks: &[u8]) -> Vec<u8> {
    let mut deflater = Deflater::new(Vec::new());
    // Writing into memory cannot fail; were it to, the stored form is just as good.
    deflater
        .write_all(blocks)
        .and_then(|()| deflater.finish_open())
        .unwrap_or_else(|_| [&block_header(blocks.len(), Final::No)[..], blocks].concat())
}
