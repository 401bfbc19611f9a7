//! The memory that inflating needs, used again for the next stream.
//!
//! Made anew for each of ten thousand archives it would not go back to the system: what is kept of each archive comes to lie between,
//! and leaves holes that are too small for the next.

use std::sync::{Mutex, PoisonError};

use flate2::Decompress;

/// Inflated bytes are produced into a buffer of this size and dropped.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Kept for later. More than these are in use only where many archives are checked at the same time.
const MOST_KEPT: usize = 8;

/// Those that nobody uses now.
static KEPT: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// What inflates one stream at a time, and where to.
pub(super) struct Memory {
    pub(super) decompress: Decompress,
    pub(super) scratch: Box<[u8]>,
}

/// A [`Memory`] that goes back when it is dropped.
pub(super) struct Inflater(Option<Memory>);

impl Inflater {
    /// One that has inflated nothing yet.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// Its memory, from the first time on that it is asked for.
    pub(super) fn memory(&mut self) -> &mut Memory {
        self.0.get_or_insert_with(|| {
            let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop();
            kept.unwrap_or_else(|| Memory {
                decompress: Decompress::new(false),
                scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            })
        })
    }

    /// Begins another stream.
    pub(super) fn reset(&mut self) {
        if let Some(memory) = &mut self.0 {
            memory.decompress.reset(false);
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        self.reset();
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT {
            kept.extend(self.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, FlushDecompress, Status, write::DeflateEncoder};

    use super::*;

    #[test]
    fn memory_that_another_stream_was_left_in_begins_anew() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"content").unwrap();
        let packed = encoder.finish().unwrap();
        for taken in [1, packed.len(), packed.len()] {
            let mut inflater = Inflater::new();
            let memory = inflater.memory();
            assert_eq!(memory.decompress.total_in(), 0);
            let flush = FlushDecompress::None;
            let (packed, scratch) = (&packed[..taken], &mut memory.scratch);
            let status = memory.decompress.decompress(packed, scratch, flush);
            if taken > 1 {
                assert_eq!(status.unwrap(), Status::StreamEnd);
                assert_eq!(&memory.scratch[..7], b"content");
            }
        }
    }
}
