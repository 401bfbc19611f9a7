//! A file's bytes on their way to whoever looks at them: counted, hashed, and checked as gzip where they must be.

use std::io::{self, BufRead, Read};

use bytes::{Buf as _, Bytes};
use domain::model::Sha256;
use domain::ports::CheckFailure;

use super::sums::Sums;
use crate::pieces::{PIECE_BYTES, Pieces};

/// What passed by.
pub(crate) struct Seen {
    pub(crate) bytes: u64,
    pub(crate) sha256: Sha256,
    /// Whether the bytes are a complete gzip file, where that was asked.
    pub(crate) gzip: Option<Result<u64, CheckFailure>>,
}

/// Passes bytes on and watches them. An error is kept for [`Watched::finish`], also where the reader swallows it.
pub(crate) struct Watched<'a> {
    content: &'a mut dyn Read,
    pieces: Pieces,
    is_archive: bool,
    /// What was read and nobody took yet.
    unread: Bytes,
    /// `None` until something was read: the first piece says whether the file is long.
    sums: Option<Sums>,
    bytes: u64,
    is_at_end: bool,
    failure: Option<io::Error>,
}

impl<'a> Watched<'a> {
    pub(crate) fn plain(content: &'a mut dyn Read, pieces: &Pieces) -> Self {
        Self {
            content,
            pieces: pieces.clone(),
            is_archive: false,
            unread: Bytes::new(),
            sums: None,
            bytes: 0,
            is_at_end: false,
            failure: None,
        }
    }

    pub(super) fn archive(content: &'a mut dyn Read, pieces: &Pieces) -> Self {
        Self {
            is_archive: true,
            ..Self::plain(content, pieces)
        }
    }

    /// Reads what is left. An error is one of the content's reader: damage, or the disk.
    pub(crate) fn finish(mut self) -> io::Result<Seen> {
        while self.failure.is_none() && !self.is_at_end {
            self.read_piece();
        }
        let sums = self.sums.unwrap_or_else(|| Sums::here(self.is_archive));
        let summed = sums.finish();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let summed = summed?;
        Ok(Seen {
            bytes: self.bytes,
            sha256: summed.sha256,
            gzip: summed.gzip,
        })
    }

    fn read_piece(&mut self) {
        match self.pieces.read_from(self.content) {
            Ok(piece) => {
                self.is_at_end = piece.len() < PIECE_BYTES;
                let (is_archive, is_long) = (self.is_archive, !self.is_at_end);
                let sums = self.sums.get_or_insert_with(|| {
                    let threads = is_long.then(|| Sums::in_threads(is_archive));
                    // Without further threads the same is done more slowly.
                    threads
                        .and_then(Result::ok)
                        .unwrap_or_else(|| Sums::here(is_archive))
                });
                sums.update(&piece);
                self.bytes += piece.len() as u64;
                self.unread = piece;
            }
            Err(error) => self.failure = Some(error),
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() && self.failure.is_none() && !self.is_at_end {
            self.read_piece();
        }
        if self.failure.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        Ok(&self.unread)
    }

    fn consume(&mut self, bytes: usize) {
        self.unread.advance(bytes.min(self.unread.len()));
    }
}
