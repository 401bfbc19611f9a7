//! The bytes of an answer, or how to make them while they are sent.

use bytes::Bytes;

use crate::archive::Archive;
use crate::damage::cut;

const PIECE_BYTES: usize = 64 * 1024;

/// The bytes of an answer, or how to make them.
pub(super) enum Payload {
    Bytes(Bytes),
    /// An archive between two offsets.
    Archive {
        archive: Archive,
        from: u64,
        to: u64,
    },
    /// `head`, then `item` for ever.
    Endless {
        head: Bytes,
        item: Bytes,
    },
    /// So many spaces between `head` and `tail`.
    Padded {
        head: Bytes,
        spaces: u64,
        tail: Bytes,
    },
}

impl Payload {
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Archive { from, to, .. } => Some(to - from),
            Self::Endless { .. } => None,
            Self::Padded { head, spaces, tail } => {
                Some(head.len() as u64 + spaces + tail.len() as u64)
            }
        }
    }

    pub(super) fn pieces(self) -> Pieces {
        match self {
            Self::Bytes(bytes) => Box::new(std::iter::once(bytes)),
            Self::Archive { archive, from, to } => {
                Box::new(cut(archive.pieces_from(from), to - from))
            }
            Self::Endless { head, item } => {
                let many = Bytes::from(item.repeat((PIECE_BYTES / item.len().max(1)).max(1)));
                Box::new(std::iter::once(head).chain(std::iter::repeat(many)))
            }
            Self::Padded { head, spaces, tail } => {
                let filler = cut(
                    std::iter::repeat(Bytes::from(vec![b' '; PIECE_BYTES])),
                    spaces,
                );
                Box::new(
                    std::iter::once(head)
                        .chain(filler)
                        .chain(std::iter::once(tail)),
                )
            }
        }
    }
}

/// What is sent, piece by piece.
pub(super) type Pieces = Box<dyn Iterator<Item = Bytes> + Send>;
