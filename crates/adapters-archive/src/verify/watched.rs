//! A file's bytes on their way to whoever looks at them: counted, hashed, and checked as gzip where they must be.

use std::io::{self, Read};

use domain::bag::GzipCheck;
use domain::model::{Sha256, Sha256Hasher};
use domain::ports::CheckFailure;

/// What passed by.
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
    /// Whether the bytes are a complete gzip file, where that was asked.
    pub(super) gzip: Option<Result<u64, CheckFailure>>,
}

/// Passes bytes on and watches them. An error is kept for [`Watched::finish`], also where the reader swallows it.
pub(super) struct Watched<'a> {
    content: &'a mut dyn Read,
    hasher: Sha256Hasher,
    bytes: u64,
    gzip: Option<GzipCheck>,
    failure: Option<io::Error>,
}

impl<'a> Watched<'a> {
    pub(super) fn plain(content: &'a mut dyn Read) -> Self {
        Self {
            content,
            hasher: Sha256Hasher::default(),
            bytes: 0,
            gzip: None,
            failure: None,
        }
    }

    pub(super) fn archive(content: &'a mut dyn Read) -> Self {
        Self {
            gzip: Some(GzipCheck::new()),
            ..Self::plain(content)
        }
    }

    /// Reads what is left. An error is one of the content's reader: damage, or the disk.
    pub(super) fn finish(mut self, buffer: &mut [u8]) -> io::Result<Seen> {
        while self.failure.is_none() {
            match self.read(buffer) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => {}
            }
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(Seen {
                bytes: self.bytes,
                sha256: self.hasher.finish(),
                gzip: self.gzip.map(GzipCheck::finish),
            }),
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        match self.content.read(buffer) {
            Ok(read) => {
                let seen = buffer.get(..read).unwrap_or_default();
                self.hasher.update(seen);
                self.bytes += read as u64;
                if let Some(gzip) = &mut self.gzip {
                    // The check keeps its failure.
                    let _ = gzip.update(seen);
                }
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failure = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }
}
