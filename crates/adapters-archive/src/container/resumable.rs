//! A body that ends early: after which of its bytes encoding can be resumed, and what content those bytes hold.

use std::io::{self, Read};

use super::encode::{BLOCK_HEADER_BYTES, Encoding, Final, LONGEST_BLOCK_BYTES, block_header};

const PIECE_BYTES: usize = 256 * 1024;

/// The part of a body after which encoding can be resumed: the whole comes out as if it had never stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResumablePart {
    /// Length of the body.
    pub(crate) packed: u64,
    /// Length of the content.
    pub(crate) bytes: u64,
}

impl ResumablePart {
    /// The resumable part of a body that is this long so far; `None` where there is none.
    pub(crate) fn of(encoding: Encoding, length: u64) -> Option<Self> {
        let part = match encoding {
            Encoding::Plain => Self {
                packed: length,
                bytes: length,
            },
            Encoding::StoredBlocks => {
                let content = LONGEST_BLOCK_BYTES as u64;
                let blocks = length / (content + BLOCK_HEADER_BYTES as u64);
                Self {
                    packed: blocks * (content + BLOCK_HEADER_BYTES as u64),
                    bytes: blocks * content,
                }
            }
            // A deflater's state depends on all that it has seen, and is lost with the process.
            Encoding::Deflate => return None,
        };
        (part.bytes > 0).then_some(part)
    }

    /// Reads the content back, piece by piece.
    pub(crate) fn read(
        self,
        encoding: Encoding,
        body: &mut impl Read,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let header = match encoding {
            Encoding::StoredBlocks => Some(block_header(LONGEST_BLOCK_BYTES, Final::No)),
            Encoding::Plain | Encoding::Deflate => None,
        };
        let longest = match header {
            Some(_) => LONGEST_BLOCK_BYTES,
            None => PIECE_BYTES,
        };
        let mut missing = self.bytes;
        let mut piece = vec![0; longest];
        while missing > 0 {
            if let Some(expected) = header {
                expect_header(body, expected)?;
            }
            let length = usize::try_from(missing).unwrap_or(longest).min(longest);
            piece.truncate(length);
            body.read_exact(&mut piece)?;
            take(&piece)?;
            missing -= length as u64;
        }
        Ok(())
    }
}

fn expect_header(body: &mut impl Read, expected: [u8; BLOCK_HEADER_BYTES]) -> io::Result<()> {
    let mut found = [0; BLOCK_HEADER_BYTES];
    body.read_exact(&mut found)?;
    if found == expected {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not as it was written",
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::container::Encoder;
    use crate::test_kit::noise;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Wherever a body was cut, what is read of it and the rest of the content make the same body as in one go.
        #[test]
        fn a_body_cut_anywhere_is_resumed(
            length in 0..300_000_usize,
            cut in any::<proptest::sample::Index>(),
            stored_blocks in any::<bool>(),
        ) {
            let encoding = if stored_blocks { Encoding::StoredBlocks } else { Encoding::Plain };
            let content = noise(1, length);
            let pack = |content: &[u8]| {
                let mut packer = Encoder::new(encoding, Vec::new());
                packer.write_all(content).unwrap();
                packer.finish().unwrap()
            };
            let whole = pack(&content);
            let so_far = &whole[..cut.index(whole.len() + 1)];
            let Some(part) = ResumablePart::of(encoding, so_far.len() as u64) else {
                prop_assert!(so_far.len() < LONGEST_BLOCK_BYTES + BLOCK_HEADER_BYTES);
                return Ok(());
            };
            // The last block of a body has another header: nothing can follow it.
            prop_assume!(part.bytes < length as u64);
            let mut read = Vec::new();
            part.read(encoding, &mut &so_far[..], |piece| { read.extend_from_slice(piece); Ok(()) }).unwrap();
            prop_assert!(read[..] == content[..read.len()]);
            prop_assert_eq!(read.len() as u64, part.bytes);
            let packed = usize::try_from(part.packed).unwrap();
            prop_assert!([&so_far[..packed], &pack(&content[read.len()..])].concat() == whole);
        }
    }

    #[test]
    fn what_a_power_loss_left_empty_is_no_content() {
        let part = ResumablePart::of(Encoding::StoredBlocks, 70_000).unwrap();
        let zeros = vec![0; 70_000];
        assert!(
            part.read(Encoding::StoredBlocks, &mut &zeros[..], |_| Ok(()))
                .is_err()
        );
        assert_eq!(ResumablePart::of(Encoding::Deflate, 70_000), None);
    }
}
