//! Stored blocks of deflate: bytes as they are, behind a header of five bytes.

/// A deflate stored block holds at most this much (RFC 1951 §3.2.4).
pub(super) const BLOCK_BYTES: usize = 65_535;

/// Appends `block` as a stored block that is not the last.
pub(super) fn frame(block: &[u8], framed: &mut Vec<u8>) {
    let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
    framed.push(0);
    framed.extend_from_slice(&length.to_le_bytes());
    framed.extend_from_slice(&(!length).to_le_bytes());
    framed.extend_from_slice(block);
}
