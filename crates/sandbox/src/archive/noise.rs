//! Bytes that look random, at any length, for the price of a few megabytes once.
//!
//! A long file is a sequence of chunks, each one of sixteen, chosen by its place and the file's seed. A chunk exists once in
//! memory, already framed as deflate blocks, and is sent without being copied.

use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Crc;

use super::blocks::{BLOCK_BYTES, frame};

const BLOCKS: usize = 4;
const VARIANTS: u64 = 16;
/// What a chunk holds.
pub(super) const CHUNK_BYTES: u64 = (BLOCKS * BLOCK_BYTES) as u64;
/// What a chunk takes in the compressed file.
pub(super) const FRAMED_BYTES: u64 = CHUNK_BYTES + (BLOCKS * 5) as u64;

struct Chunk {
    plain: Bytes,
    framed: OnceLock<Bytes>,
    checksum: OnceLock<Crc>,
}

/// The framed bytes of chunk `index`.
pub(super) fn framed(seed: u64, index: u64) -> Bytes {
    let chunk = chunk(seed, index);
    let make = || {
        let mut framed = Vec::new();
        chunk
            .plain
            .chunks(BLOCK_BYTES)
            .for_each(|block| frame(block, &mut framed));
        Bytes::from(framed)
    };
    chunk.framed.get_or_init(make).clone()
}

/// What chunk `index` holds.
pub(super) fn plain(seed: u64, index: u64) -> Bytes {
    chunk(seed, index).plain.clone()
}

/// The checksum of what chunk `index` holds.
pub(super) fn checksum(seed: u64, index: u64) -> &'static Crc {
    let chunk = chunk(seed, index);
    chunk.checksum.get_or_init(|| {
        let mut crc = Crc::new();
        crc.update(&chunk.plain);
        crc
    })
}

#[expect(clippy::cast_possible_truncation, reason = "below sixteen")]
fn chunk(seed: u64, index: u64) -> &'static Chunk {
    static CHUNKS: [OnceLock<Chunk>; VARIANTS as usize] =
        [const { OnceLock::new() }; VARIANTS as usize];
    let variant = mix(seed ^ mix(index)) % VARIANTS;
    CHUNKS[variant as usize].get_or_init(|| {
        let bytes: Vec<u8> = (0..CHUNK_BYTES.div_ceil(8))
            .flat_map(|word| mix((variant << 40) | word).to_le_bytes())
            .take(BLOCKS * BLOCK_BYTES)
            .collect();
        Chunk {
            plain: bytes.into(),
            framed: OnceLock::new(),
            checksum: OnceLock::new(),
        }
    })
}

/// The output function of `SplitMix64`: neighbours in, strangers out.
pub(crate) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
