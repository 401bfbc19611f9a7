//! Raw deflate whose working memory is used again.
//!
//! A deflate state takes some 300 KB. Made anew for every document, it makes the heap grow with the number of documents,
//! because the system's allocator does not find the hole of the last one again (measured: 100 MB after 600 documents, 10 MB
//! with states kept).

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use flate2::{Compress, Compression, FlushCompress, Status};

const BUFFER_BYTES: usize = 32 * 1024;
/// States kept for the next document; more than this are at work only in a crowd.
const KEPT: usize = 4;

static RESTING: Mutex<Vec<Deflate>> = Mutex::new(Vec::new());

/// A deflate state and the buffer that it writes to.
struct Deflate {
    compress: Compress,
    buffer: Vec<u8>,
}

impl Deflate {
    fn take() -> Self {
        let resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner).pop();
        resting.unwrap_or_else(|| Self {
            compress: Compress::new(Compression::default(), false),
            buffer: Vec::with_capacity(BUFFER_BYTES),
        })
    }

    fn give_back(mut self) {
        self.compress.reset();
        self.buffer.clear();
        let mut resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() < KEPT {
            resting.push(self);
        }
    }

    /// Takes what it can of the content and passes on what comes out.
    fn step(
        &mut self,
        content: &mut &[u8],
        flush: FlushCompress,
        output: &mut impl Write,
    ) -> io::Result<Step> {
        let before = self.compress.total_in();
        let status = self
            .compress
            .compress_vec(content, &mut self.buffer, flush)?;
        let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX);
        *content = content.get(taken..).unwrap_or_default();
        let full = self.buffer.len() == self.buffer.capacity();
        output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(match status {
            Status::StreamEnd => Step::Last,
            _ if full || !content.is_empty() => Step::Again,
            _ => Step::Last,
        })
    }
}

/// Whether there is more to come of the same call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Again,
    Last,
}

/// Writes a raw deflate stream (RFC 1951) into `W`.
pub(crate) struct Deflater<W> {
    output: W,
    deflate: Borrowed,
}

/// A state that goes back when it is no longer needed, however that comes.
struct Borrowed(Option<Deflate>);

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(deflate) = self.0.take() {
            deflate.give_back();
        }
    }
}

impl<W: Write> Deflater<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            deflate: Borrowed(Some(Deflate::take())),
        }
    }

    pub(super) fn output(&mut self) -> &mut W {
        &mut self.output
    }

    pub(super) fn write_all(&mut self, content: &[u8]) -> io::Result<()> {
        self.run(content, FlushCompress::None)
    }

    /// Ends on a byte without ending the stream: another one may follow.
    pub(super) fn finish_open(mut self) -> io::Result<W> {
        self.run(&[], FlushCompress::Sync)?;
        Ok(self.output)
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.run(&[], FlushCompress::Finish)?;
        Ok(self.output)
    }

    fn run(&mut self, mut content: &[u8], flush: FlushCompress) -> io::Result<()> {
        let Some(deflate) = &mut self.deflate.0 else {
            return Ok(());
        };
        while deflate.step(&mut content, flush, &mut self.output)? == Step::Again {}
        Ok(())
    }
}
