//! Containers that are only ever added to: standard output, and everything encrypted.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use age::Encryptor;
use age::stream::StreamWriter;
use domain::model::Sha256Hasher;

use super::closed::Body;
use crate::container::{Container, Placed};
use crate::publish::{Whole, WholeSum};
use crate::spool::SpoolFile;

/// Small writes are gathered to this much: documents would cost a system call for each of their parts.
const BUFFER_BYTES: usize = 256 * 1024;

/// A container that is only ever added to.
pub(super) struct Forward {
    stream: Stream,
    end: u64,
}

impl Forward {
    /// Encrypted, if there is an encryptor, and summed up on the way if that is wanted.
    pub(super) fn new(
        target: File,
        encryptor: Option<Encryptor>,
        sum: WholeSum,
    ) -> io::Result<Self> {
        let counted = Counted::new(target, sum);
        let stream = match encryptor {
            None => Stream::Plain(counted),
            Some(encryptor) => Stream::Sealed(encryptor.wrap_output(counted)?),
        };
        Ok(Self { stream, end: 0 })
    }

    /// Where the next member begins.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds a whole member. Returns where it begins.
    pub(super) fn append(&mut self, head: &[u8], body: &Body, tail: &[u8]) -> io::Result<u64> {
        let start = self.end;
        self.stream.write_all(head)?;
        let length = match body {
            Body::Memory(body) => {
                self.stream.write_all(body)?;
                body.len() as u64
            }
            Body::Spooled(spool_file) => self.stream.copy(spool_file)?,
        };
        self.stream.write_all(tail)?;
        self.end += head.len() as u64 + length + tail.len() as u64;
        Ok(start)
    }

    /// Ends the container and hands everything to the system.
    pub(super) fn finish(
        mut self,
        container: &dyn Container,
        placed: &[Placed],
    ) -> io::Result<Whole> {
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, &mut self.stream);
        container.end(placed, self.end, &mut writer)?;
        writer.flush()?;
        drop(writer);
        self.stream.finish()
    }
}

/// What it is written through.
enum Stream {
    Plain(Counted),
    Sealed(StreamWriter<Counted>),
}

impl Stream {
    fn copy(&mut self, body: &SpoolFile) -> io::Result<u64> {
        match self {
            Self::Plain(output) => output.copy(body),
            Self::Sealed(stream) => body.copy_to(stream),
        }
    }

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

impl Write for Stream {
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
struct Counted {
    output: BufWriter<File>,
    written: u64,
    sum: Option<Box<Sha256Hasher>>,
}

impl Counted {
    fn new(target: File, sum: WholeSum) -> Self {
        Self {
            output: BufWriter::with_capacity(BUFFER_BYTES, target),
            written: 0,
            sum: (sum == WholeSum::OnTheWay).then(Box::default),
        }
    }

    fn copy(&mut self, body: &SpoolFile) -> io::Result<u64> {
        if self.sum.is_some() {
            // What the system sends by itself is never seen here.
            return body.copy_to(self);
        }
        self.output.flush()?;
        let copied = body.send_to(self.output.get_mut())?;
        self.written += copied;
        Ok(copied)
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
