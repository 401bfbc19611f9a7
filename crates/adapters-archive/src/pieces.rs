//! Bytes on their way to the threads that look at them, in pieces whose memory is used again.
//!
//! What comes from the network lies in memory that is made anew for each chunk, unless the chunk is gone before the next one is
//! read. So it is copied here while the processor's cache still has it: that costs less than the page faults of new memory, and how much
//! memory is in use does not depend on what the network hands out.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};

/// The memory of one piece: what the HTTP library reads at once, at most. Shorter ones would wake the threads more often.
pub(crate) const PIECE_BYTES: usize = 408 * 1024;
/// Pieces kept for later. More than these are in use only where many entries are open.
const MOST_KEPT: usize = 10;

/// Pieces that nobody uses now.
#[derive(Clone, Default)]
pub(crate) struct Pieces(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Pieces {
    /// A piece with as much off the chunk as it has space for.
    pub(crate) fn filled_from(&self, chunk: &mut Bytes) -> Bytes {
        let taken = chunk.len().min(PIECE_BYTES);
        let mut piece = self.take();
        chunk.copy_to_slice(piece.memory.get_mut(..taken).unwrap_or_default());
        piece.filled = taken;
        Bytes::from_owner(piece)
    }

    /// A piece as full as what is left to read makes it: a shorter one is the last, an empty one is the end.
    pub(crate) fn read_from(&self, content: &mut dyn Read) -> io::Result<Bytes> {
        let mut piece = self.take();
        while let Some(space @ [_, ..]) = piece.memory.get_mut(piece.filled..) {
            match content.read(space) {
                Ok(0) => break,
                Ok(read) => piece.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Bytes::from_owner(piece))
    }

    fn take(&self) -> Piece {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Piece {
            memory: kept.unwrap_or_else(|| vec![0; PIECE_BYTES].into_boxed_slice()),
            filled: 0,
            pieces: self.clone(),
        }
    }
}

/// The memory of a piece. It goes back when nobody reads it any more.
struct Piece {
    memory: Box<[u8]>,
    filled: usize,
    pieces: Pieces,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        let mut kept = self.pieces.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT {
            kept.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_chunk_becomes_several_pieces() {
        let pieces = Pieces::default();
        let mut chunk = Bytes::from(vec![7; PIECE_BYTES + 10]);
        assert_eq!(pieces.filled_from(&mut chunk), vec![7; PIECE_BYTES]);
        assert_eq!(pieces.filled_from(&mut chunk), vec![7; 10]);
        assert!(chunk.is_empty());
    }

    #[test]
    fn memory_is_used_again_once_all_have_read_it() {
        let pieces = Pieces::default();
        let one = pieces.filled_from(&mut Bytes::from_static(b"content"));
        let memory = one.as_ptr();
        let other = one.clone();
        drop(one);
        assert_ne!(pieces.take().as_ref().as_ptr(), memory);
        drop(other);
        let again = [pieces.take(), pieces.take()];
        let used_again = again.iter().find(|piece| piece.as_ref().as_ptr() == memory);
        assert!(used_again.is_some_and(|piece| piece.as_ref().is_empty()));
    }
}
