//! One member's body while it is written: encoded, and summed up on the way.

use std::io::{self, Write};

use domain::model::{Sha256, Sha256Hasher};

use crate::container::{Container, Content, Encoder, Encoding};

/// Takes content and passes the body on.
pub(crate) struct MemberWriter<W: Write> {
    encoder: Encoder<Measured<W>>,
    sha256: Sha256Hasher,
    crc32: crc32fast::Hasher,
    bytes: u64,
}

/// A body that has ended.
pub(crate) struct Encoded<W> {
    pub(crate) content: Content,
    /// SHA-256 of the content.
    pub(crate) sha256: Sha256,
    /// CRC-32 of the body itself.
    pub(crate) checksum: u32,
    pub(crate) output: W,
}

impl<W: Write> MemberWriter<W> {
    pub(crate) fn new(encoding: Encoding, output: W) -> Self {
        let measured = Measured {
            output,
            length: 0,
            // A plain body is its content, which is summed up already.
            crc32: (encoding != Encoding::Plain).then(crc32fast::Hasher::new),
        };
        Self {
            encoder: Encoder::new(encoding, measured),
            sha256: Sha256Hasher::default(),
            crc32: crc32fast::Hasher::new(),
            bytes: 0,
        }
    }

    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.sha256.update(content);
        self.crc32.update(content);
        self.bytes += content.len() as u64;
        self.encoder.write_all(content)
    }

    /// What the body goes into, where it is the content as it is.
    pub(super) fn plain_output(&mut self) -> Option<&mut W> {
        match &mut self.encoder {
            Encoder::Plain(measured) => Some(&mut measured.output),
            Encoder::Deflate(_) | Encoder::StoredBlocks(_) => None,
        }
    }

    /// Length of the content so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of the content so far.
    pub(crate) fn sha256(&self) -> Sha256 {
        self.sha256.clone().finish()
    }

    /// What the body goes into.
    pub(crate) fn output(&mut self) -> &mut W {
        &mut self.encoder.output().output
    }

    /// Ends the body, with the container's padding.
    pub(crate) fn finish(mut self, container: &dyn Container) -> io::Result<Encoded<W>> {
        let padding = vec![0; container.padding(self.bytes)];
        self.encoder.write_all(&padding)?;
        let measured = self.encoder.finish()?;
        let checksum = measured.crc32.unwrap_or_else(|| {
            let mut body = self.crc32.clone();
            body.update(&padding);
            body
        });
        Ok(Encoded {
            content: Content {
                bytes: self.bytes,
                crc32: self.crc32.finalize(),
                packed: measured.length,
            },
            sha256: self.sha256.finish(),
            checksum: checksum.finalize(),
            output: measured.output,
        })
    }
}

impl<W: Write> Write for MemberWriter<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        Self::write(self, content)?;
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts and sums what passes.
struct Measured<W> {
    output: W,
    length: u64,
    crc32: Option<crc32fast::Hasher>,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        if let Some(crc32) = &mut self.crc32 {
            crc32.update(bytes.get(..written).unwrap_or(bytes));
        }
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
