//! A place in the container that one entry has to itself, while others are written before and behind it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::container::{Extent, Span};
use crate::spool::{BodyWriter, PositionedReader, PositionedWriter, release};

/// The place of one entry whose length is known.
///
/// It is given back to the slot that it came from. Dropped, it is used by nobody until the bag is finished: whoever stops without a word
/// may have left bytes there that the journal names.
pub(super) struct Region {
    file: Arc<File>,
    span: Span,
    extent: Extent,
}

impl Region {
    pub(super) fn new(file: Arc<File>, span: Span, extent: Extent) -> Self {
        Self { file, span, extent }
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// Gives what was written there back to the file system: whoever has the place next is written anew, and what is free is counted
    /// before that.
    pub(super) fn release(self) {
        release(&self.file, self.span.offset, self.span.end);
    }

    /// Where its body begins.
    fn body(&self) -> u64 {
        self.span.offset + self.extent.head
    }

    /// Writes the body of which the first `kept` bytes are there.
    pub(super) fn writer_after(&self, kept: u64) -> BodyWriter {
        let writer = PositionedWriter::after(Arc::clone(&self.file), self.body(), kept);
        BodyWriter::in_place(writer.up_to(self.body() + self.extent.packed))
    }

    pub(super) fn reader(&self) -> PositionedReader {
        PositionedReader::new(Arc::clone(&self.file), self.body())
    }

    /// How many bytes of the body its writer has handed to the system.
    pub(super) fn arrived(&self, output: &BodyWriter) -> u64 {
        let handed_over = output.handed_over().unwrap_or(0);
        handed_over.saturating_sub(self.body())
    }

    /// Writes the head.
    pub(super) fn write_head(&self, head: &[u8]) -> io::Result<()> {
        expect_length(head, self.extent.head)?;
        self.file.write_all_at(head, self.span.offset)
    }

    /// Writes the tail, and the head last: it makes the entry whole.
    pub(super) fn complete(&self, head: &[u8], packed: u64, tail: &[u8]) -> io::Result<()> {
        let before_tail = self.extent.head + self.extent.packed;
        if packed != self.extent.packed {
            return Err(too_long_or_too_short());
        }
        expect_length(tail, self.extent.whole - before_tail)?;
        self.file
            .write_all_at(tail, self.span.offset + before_tail)?;
        self.write_head(head)
    }
}

/// Nothing may ever be written beyond the place: another entry's bytes are there.
fn expect_length(bytes: &[u8], expected: u64) -> io::Result<()> {
    if bytes.len() as u64 == expected {
        Ok(())
    } else {
        Err(too_long_or_too_short())
    }
}

fn too_long_or_too_short() -> io::Error {
    io::Error::other("an entry is not as long as its place")
}
