//! Where the container goes: a file that can be patched, or a stream that cannot.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use age::stream::StreamWriter;
use domain::model::Sha256Hasher;
use domain::ports::SinkError;

use super::closed::Body;
use crate::container::{Container, Placed, Span};
use crate::publish::{Whole, WholeSum};
use crate::spool::{BodyWriter, PositionedWriter, begin_flush, cut};

/// Writes to the disk are gathered to this much: small documents would cost a system call for each of their parts.
const BUFFER_BYTES: usize = 256 * 1024;

/// The container being written.
pub(super) enum Output {
    /// A file of its own: what is in it can be patched and cut off.
    File(BagFile),
    /// Standard output, or anything encrypted: forward only.
    Forward(Forward),
}

impl Output {
    /// Puts a whole member at the end. Returns where it begins.
    pub(super) fn append(&mut self, head: &[u8], body: &Body, tail: &[u8]) -> io::Result<u64> {
        match self {
            Self::File(file) => file.append(head, body, tail),
            Self::Forward(forward) => forward.append(head, body, tail),
        }
    }

    /// Where the next member begins.
    pub(super) fn end(&self) -> u64 {
        match self {
            Self::File(file) => file.end,
            Self::Forward(forward) => forward.end,
        }
    }

    /// Ends the container and hands everything to the system.
    pub(super) fn finish(self, container: &dyn Container, placed: &[Placed]) -> io::Result<Whole> {
        match self {
            Self::File(file) => {
                let mut writer = PositionedWriter::new(file.handle(), file.end);
                container.end(placed, file.end, &mut writer)?;
                writer.flush()?;
                let length = writer.handed_over();
                // Behind it may be what was begun there once and given up.
                cut(&file.file, length)?;
                Ok(Whole {
                    bytes: length,
                    sha256: None,
                })
            }
            Self::Forward(mut forward) => {
                let end = forward.end;
                let mut writer = BufWriter::with_capacity(BUFFER_BYTES, &mut forward.stream);
                container.end(placed, end, &mut writer)?;
                writer.flush()?;
                drop(writer);
                forward.stream.finish()
            }
        }
    }
}

/// A container file. Beyond `end` nothing counts.
pub(super) struct BagFile {
    file: Arc<File>,
    end: u64,
}

impl BagFile {
    /// Continues at `end`; what is after it is cut off.
    pub(super) fn after(file: File, end: u64) -> io::Result<Self> {
        cut(&file, end)?;
        Ok(Self {
            file: Arc::new(file),
            end,
        })
    }

    pub(super) fn handle(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Where the next member begins.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Cuts off what follows.
    pub(super) fn end_at(&mut self, end: u64) -> io::Result<()> {
        self.end = end;
        cut(&self.file, end)
    }

    /// Moves the end on by this length; `None` where no file is that long.
    pub(super) fn extend(&mut self, length: u64) -> Option<Span> {
        let span = Span {
            offset: self.end,
            end: self.end.checked_add(length)?,
        };
        self.end = span.end;
        Some(span)
    }

    fn append(&mut self, head: &[u8], body: &Body, tail: &[u8]) -> io::Result<u64> {
        let start = self.end;
        match body {
            Body::Memory(body) => {
                let whole = [head, body, tail].concat();
                self.file.write_all_at(&whole, start)?;
                self.end += whole.len() as u64;
            }
            Body::Spooled(spool_file) => {
                // Only who has the claim moves the file's own position: a copy inside the kernel needs that.
                let mut file = &*self.file;
                file.seek(SeekFrom::Start(start))?;
                file.write_all(head)?;
                spool_file.copy_to_file(file)?;
                file.write_all(tail)?;
                self.end = file.stream_position()?;
                begin_flush(&self.file, start, self.end);
            }
        }
        Ok(start)
    }

    /// Begins a member in place, after a head that is replaced when the content is known.
    pub(super) fn begin(&mut self, head: &[u8]) -> io::Result<BodyWriter> {
        self.file.write_all_at(head, self.end)?;
        let body = self.end + head.len() as u64;
        let writer = PositionedWriter::new(self.handle(), body);
        Ok(BodyWriter::in_place(writer))
    }

    /// Ends the member begun last, whose body is `packed` bytes long. Returns where it is.
    pub(super) fn complete(&mut self, head: &[u8], packed: u64, tail: &[u8]) -> io::Result<Span> {
        let offset = self.end;
        let before_tail = offset + head.len() as u64 + packed;
        self.file.write_all_at(tail, before_tail)?;
        // The head last: it makes the member whole.
        self.file.write_all_at(head, offset)?;
        self.end = before_tail + tail.len() as u64;
        let end = self.end;
        Ok(Span { offset, end })
    }

    /// Cuts off what was begun and not completed.
    pub(super) fn roll_back(&mut self) -> io::Result<()> {
        cut(&self.file, self.end)
    }
}

/// A container that is only ever added to.
pub(super) struct Forward {
    stream: ForwardStream,
    end: u64,
}

impl Forward {
    pub(super) fn new(stream: ForwardStream) -> Self {
        Self { stream, end: 0 }
    }

    fn append(&mut self, head: &[u8], body: &Body, tail: &[u8]) -> io::Result<u64> {
        let start = self.end;
        self.stream.write_all(head)?;
        let length = match body {
            Body::Memory(body) => {
                self.stream.write_all(body)?;
                body.len() as u64
            }
            Body::Spooled(spool_file) => spool_file.copy_to(&mut self.stream)?,
        };
        self.stream.write_all(tail)?;
        self.end += head.len() as u64 + length + tail.len() as u64;
        Ok(start)
    }
}

/// What a forward-only container is written through.
pub(super) enum ForwardStream {
    Plain(Counted),
    Sealed(StreamWriter<Counted>),
}

impl ForwardStream {
    /// Ends the encryption, if any, and returns what came out below.
    fn finish(self) -> io::Result<Whole> {
        let mut output = match self {
            Self::Plain(output) => output,
            Self::Sealed(stream) => stream.finish()?,
        };
        output.flush()?;
        Ok(Whole {
            bytes: output.written,
            sha256: output.sum.map(|sum| sum.finish()),
        })
    }
}

impl Write for ForwardStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Sealed(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Sealed(stream) => stream.flush(),
        }
    }
}

/// Gathers small writes, counts, and sums up where that is wanted.
pub(super) struct Counted {
    output: BufWriter<Box<dyn Write + Send>>,
    written: u64,
    sum: Option<Box<Sha256Hasher>>,
}

impl Counted {
    pub(super) fn new(output: Box<dyn Write + Send>, sum: WholeSum) -> Self {
        Self {
            output: BufWriter::with_capacity(BUFFER_BYTES, output),
            written: 0,
            sum: (sum == WholeSum::OnTheWay).then(Box::default),
        }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.written += written as u64;
        if let Some(sum) = &mut self.sum {
            sum.update(bytes.get(..written).unwrap_or_default());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// What is being written, for error messages.
pub(super) fn sink_error(action: &'static str, path: &Path, source: io::Error) -> SinkError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SinkError::NoSpace {
            path: path.to_path_buf(),
            needed: None,
        },
        _ => SinkError::Io {
            action,
            path: path.to_path_buf(),
            source,
        },
    }
}
