//! Content that compresses about as software does, at any length: one chunk, compressed once, again and again.

use std::sync::OnceLock;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::noise::mix;

const PLAIN_BYTES: usize = 1 << 20;
const WORDS: u64 = 4096;

/// The chunk.
pub(super) struct Chunk {
    plain: Vec<u8>,
    /// The same as deflate blocks that end on a byte and refer to nothing before them.
    pub(super) framed: Bytes,
    pub(super) checksum: Crc,
}

impl Chunk {
    /// How much it holds.
    pub(super) fn plain_bytes(&self) -> u64 {
        self.plain.len() as u64
    }
}

/// Made when it is needed first.
pub(super) fn chunk() -> &'static Chunk {
    static CHUNK: OnceLock<Chunk> = OnceLock::new();
    CHUNK.get_or_init(|| {
        let plain = plain();
        let mut checksum = Crc::new();
        checksum.update(&plain);
        Chunk {
            framed: compressed(&plain),
            plain,
            checksum,
        }
    })
}

/// Words of a vocabulary, the first ones most often, and a number after every eighth.
fn plain() -> Vec<u8> {
    let mut plain = Vec::with_capacity(PLAIN_BYTES + 64);
    for place in 0_u64.. {
        let drawn = mix(place);
        let word = mix(drawn % WORDS % (1 + (drawn >> 32) % WORDS));
        let letters = word.to_be_bytes();
        let length = usize::try_from(6 + word % 14).unwrap_or(6);
        let letters = letters.iter().cycle().take(length);
        plain.extend(letters.map(|byte| b'a' + byte % 26));
        plain.push(b' ');
        if place % 8 == 0 {
            plain.extend_from_slice(&drawn.to_le_bytes()[..4]);
        }
        if plain.len() >= PLAIN_BYTES {
            break;
        }
    }
    plain.truncate(PLAIN_BYTES);
    plain
}

fn compressed(plain: &[u8]) -> Bytes {
    let mut compress = Compress::new(Compression::default(), false);
    let mut framed = Vec::with_capacity(plain.len() + plain.len() / 8);
    // Into a vector that has space for all of it this cannot fail.
    let _ = compress.compress_vec(plain, &mut framed, FlushCompress::Full);
    framed.into()
}
