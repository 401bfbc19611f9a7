//! From content to body: as it is, deflated, or in deflate's own "stored" blocks.

use std::io::{self, Write};

use domain::ports::Storage;

use super::deflate::Deflater;

/// Longest stored block (RFC 1951 §3.2.4).
pub(super) const LONGEST_BLOCK_BYTES: usize = 0xFFFF;
/// What stands before the content of a stored block.
pub(super) const BLOCK_HEADER_BYTES: usize = 5;

/// How content becomes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Byte for byte.
    Plain,
    /// A raw deflate stream.
    Deflate,
    /// A raw deflate stream that compresses nothing.
    StoredBlocks,
}

impl Encoding {
    /// For containers that can only deflate.
    pub(super) fn within_deflate(storage: Storage) -> Self {
        match storage {
            Storage::Compressed => Self::Deflate,
            Storage::Stored => Self::StoredBlocks,
        }
    }

    /// Length of the body of so much content; `None` where that depends on the content.
    pub(super) fn packed_length(self, content: u64) -> Option<u64> {
        match self {
            Self::Plain => Some(content),
            Self::StoredBlocks => {
                // The last block is the only one that is shorter, and may be empty.
                let blocks = content / LONGEST_BLOCK_BYTES as u64 + 1;
                blocks
                    .checked_mul(BLOCK_HEADER_BYTES as u64)?
                    .checked_add(content)
            }
            Self::Deflate => None,
        }
    }
}

/// Packs content on its way into `W`.
pub(crate) enum Encoder<W: Write> {
    /// See [`Encoding::Plain`].
    Plain(W),
    /// See [`Encoding::Deflate`].
    Deflate(Deflater<W>),
    /// See [`Encoding::StoredBlocks`].
    StoredBlocks(StoredBlocks<W>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(encoding: Encoding, output: W) -> Self {
        match encoding {
            Encoding::Plain => Self::Plain(output),
            Encoding::Deflate => Self::Deflate(Deflater::new(output)),
            Encoding::StoredBlocks => Self::StoredBlocks(StoredBlocks::new(output)),
        }
    }

    /// What the body goes into.
    pub(crate) fn output(&mut self) -> &mut W {
        match self {
            Self::Plain(output) => output,
            Self::Deflate(deflater) => deflater.output(),
            Self::StoredBlocks(blocks) => &mut blocks.output,
        }
    }

    pub(crate) fn write_all(&mut self, content: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.write_all(content),
            Self::Deflate(deflater) => deflater.write_all(content),
            Self::StoredBlocks(blocks) => blocks.write_all(content),
        }
    }

    /// Ends the body and gives back what it went into.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Deflate(deflater) => deflater.finish(),
            Self::StoredBlocks(blocks) => blocks.finish(),
        }
    }
}

/// Writes stored blocks, all but the last of full length, so that the body does not depend on how the content was cut up.
pub(crate) struct StoredBlocks<W> {
    output: W,
    block: Vec<u8>,
}

impl<W: Write> StoredBlocks<W> {
    fn new(output: W) -> Self {
        Self {
            output,
            block: Vec::with_capacity(LONGEST_BLOCK_BYTES),
        }
    }

    fn write_all(&mut self, mut content: &[u8]) -> io::Result<()> {
        while !content.is_empty() {
            let free = LONGEST_BLOCK_BYTES - self.block.len();
            let (now, later) = content.split_at(free.min(content.len()));
            self.block.extend_from_slice(now);
            content = later;
            if self.block.len() == LONGEST_BLOCK_BYTES {
                self.output
                    .write_all(&block_header(LONGEST_BLOCK_BYTES, Final::No))?;
                self.output.write_all(&self.block)?;
                self.block.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<W> {
        self.output
            .write_all(&block_header(self.block.len(), Final::Yes))?;
        self.output.write_all(&self.block)?;
        Ok(self.output)
    }
}

/// Whether a block ends its stream.
#[derive(Clone, Copy)]
pub(super) enum Final {
    Yes,
    No,
}

/// The five bytes before a stored block; at most 65,535 bytes may follow.
pub(super) fn block_header(bytes: usize, last: Final) -> [u8; BLOCK_HEADER_BYTES] {
    let length = u16::try_from(bytes).unwrap_or(u16::MAX);
    let [low, high] = length.to_le_bytes();
    let first = match last {
        Final::Yes => 1,
        Final::No => 0,
    };
    [first, low, high, !low, !high]
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::*;
    use crate::test_kit::noise;

    fn packed(encoding: Encoding, chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut packer = Encoder::new(encoding, Vec::new());
        for chunk in chunks {
            packer.write_all(chunk).unwrap();
        }
        packer.finish().unwrap()
    }

    #[test]
    fn stored_blocks_are_the_same_however_the_content_was_cut_up() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let whole = packed(Encoding::StoredBlocks, std::slice::from_ref(&content));
        for length in [1, 1000, 65_535, 65_536, 131_070] {
            let chunks: Vec<Vec<u8>> = content.chunks(length).map(<[u8]>::to_vec).collect();
            assert_eq!(packed(Encoding::StoredBlocks, &chunks), whole, "{length}");
        }
    }

    #[test]
    fn the_length_of_a_body_is_known_before_its_content_where_nothing_is_compressed() {
        for length in [0, 1, 65_534, 65_535, 65_536, 131_070, 200_000] {
            for encoding in [Encoding::Plain, Encoding::StoredBlocks] {
                let body = packed(encoding, &[noise(1, length)]);
                let expected = encoding.packed_length(length as u64);
                assert_eq!(expected, Some(body.len() as u64), "{encoding:?} {length}");
            }
        }
        assert_eq!(Encoding::Deflate.packed_length(10), None);
        assert_eq!(Encoding::StoredBlocks.packed_length(u64::MAX), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn both_deflate_encodings_inflate_to_the_content(
            lengths in proptest::collection::vec(0..70_000_usize, 0..4),
            compressed in any::<bool>(),
        ) {
            let encoding = if compressed { Encoding::Deflate } else { Encoding::StoredBlocks };
            let chunks: Vec<Vec<u8>> = lengths.iter().map(|&length| noise(length as u64, length)).collect();
            let mut content = Vec::new();
            DeflateDecoder::new(packed(encoding, &chunks).as_slice()).read_to_end(&mut content).unwrap();
            prop_assert!(content == chunks.concat());
        }
    }
}
