//! From body back to content.

use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use super::encode::Encoding;
use super::member::Content;

/// The first bytes of a content, no more than this many, read from its body. The sum of a whole one is checked.
pub(crate) fn first_bytes(
    encoding: Encoding,
    content: Content,
    body: impl Read,
    at_most: u64,
) -> io::Result<Vec<u8>> {
    let body = body.take(content.packed);
    let mut decoded: Box<dyn Read + '_> = match encoding {
        Encoding::Plain => Box::new(body),
        Encoding::Deflate | Encoding::StoredBlocks => Box::new(DeflateDecoder::new(body)),
    };
    let wanted = content.bytes.min(at_most);
    let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    decoded.by_ref().take(wanted).read_to_end(&mut bytes)?;
    let is_whole = wanted == content.bytes;
    if bytes.len() as u64 != wanted || is_whole && crc32fast::hash(&bytes) != content.crc32 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(bytes)
}
