//! Where the container goes: a file that can be patched, or a stream that cannot.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use domain::ports::SinkError;

use super::closed::Body;
use super::forward::Forward;
use crate::container::{Container, Placed, Span};
use crate::publish::Whole;
use crate::spool::{BodyWriter, PositionedWriter, begin_flush, cut};

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
            Self::Forward(forward) => forward.end(),
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
            Self::Forward(forward) => forward.finish(container, placed),
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
