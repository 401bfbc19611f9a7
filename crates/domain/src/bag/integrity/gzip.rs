//! Gzip streams, member by member.

use std::mem;

use flate2::{Crc, FlushDecompress, Status};

use super::header::Header;
use super::inflater::Inflater;
use crate::ports::CheckFailure;

const TRAILER_BYTES: usize = 8;

/// Whether bytes are a complete gzip stream (RFC 1952): one member or more, each with the CRC-32 and length that its trailer
/// says, and nothing after the last.
///
/// Only [`GzipCheck::finish`] proves anything: until then a stream that was cut looks well. A stream that inflates to any
/// size costs time, not memory.
///
/// The framing is read here, not by `flate2`'s decoders: they give a cut trailer and a wrong one the same error.
pub struct GzipCheck {
    stage: Stage,
    inflater: Inflater,
    content: Crc,
    received: u64,
    inflated: u64,
    failure: Option<CheckFailure>,
}

enum Stage {
    Header(Header),
    Body,
    Trailer {
        bytes: [u8; TRAILER_BYTES],
        filled: usize,
    },
    MemberEnded,
}

impl std::fmt::Debug for GzipCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GzipCheck")
            .field("received", &self.received)
            .field("inflated", &self.inflated)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl Default for GzipCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl GzipCheck {
    /// A check that has seen nothing yet.
    pub fn new() -> Self {
        Self {
            stage: Stage::Header(Header::first()),
            inflater: Inflater::new(),
            content: Crc::new(),
            received: 0,
            inflated: 0,
            failure: None,
        }
    }

    /// Looks at the next bytes. Once it failed, it fails the same way for ever.
    pub fn update(&mut self, mut chunk: &[u8]) -> Result<(), CheckFailure> {
        let mut scratch = mem::take(&mut self.inflater.memory().scratch);
        let mut seen = Ok(0);
        while seen.is_ok() && !chunk.is_empty() {
            seen = self.inflate(&mut chunk, &mut scratch);
        }
        self.inflater.memory().scratch = scratch;
        // A chunk without bytes says nothing new.
        seen.and(self.failure.clone().map_or(Ok(()), Err))
    }

    /// The same for somebody who wants what inflates: takes bytes off the chunk until there is some in `space`, which must not be
    /// empty. How much that is: nothing only where the chunk is used up.
    pub fn inflate(&mut self, chunk: &mut &[u8], space: &mut [u8]) -> Result<usize, CheckFailure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let (before, mut made) = (chunk.len(), Ok(0));
        while made == Ok(0) && !chunk.is_empty() {
            made = self.step(chunk, space);
        }
        self.received += (before - chunk.len()) as u64;
        made.inspect_err(|failure| self.failure = Some(failure.clone()))
    }

    /// Judges the whole; the size of what was inside, inflated.
    pub fn finish(self) -> Result<u64, CheckFailure> {
        match (self.failure, self.stage) {
            (Some(failure), _) => Err(failure),
            (None, Stage::MemberEnded) => Ok(self.inflated),
            (None, _) => Err(CheckFailure::Truncated {
                received: self.received,
            }),
        }
    }

    /// Takes at least one byte off the chunk, or makes some, or goes on to the next stage. How many it made.
    fn step(&mut self, chunk: &mut &[u8], space: &mut [u8]) -> Result<usize, CheckFailure> {
        match &mut self.stage {
            Stage::Header(header) => {
                if header.take(chunk)? {
                    self.stage = Stage::Body;
                }
            }
            Stage::Body => return self.step_in_body(chunk, space),
            Stage::Trailer { bytes, filled } => {
                fill(bytes, filled, chunk);
                if *filled == bytes.len() {
                    let trailer = *bytes;
                    self.end_member(trailer)?;
                }
            }
            Stage::MemberEnded => self.stage = Stage::Header(Header::further()),
        }
        Ok(0)
    }

    fn step_in_body(&mut self, chunk: &mut &[u8], space: &mut [u8]) -> Result<usize, CheckFailure> {
        let decompress = &mut self.inflater.memory().decompress;
        let (read_before, made_before) = (decompress.total_in(), decompress.total_out());
        let status = decompress
            .decompress(chunk, space, FlushDecompress::None)
            .map_err(|_| CheckFailure::Damaged)?;
        let read = advance(decompress.total_in(), read_before);
        let made = advance(decompress.total_out(), made_before);
        *chunk = chunk.get(read..).unwrap_or_default();
        self.content.update(space.get(..made).unwrap_or_default());
        self.inflated += made as u64;
        match status {
            Status::StreamEnd => {
                self.stage = Stage::Trailer {
                    bytes: [0; TRAILER_BYTES],
                    filled: 0,
                };
                Ok(made)
            }
            // There is input and there is space: a decoder that moves neither would be asked for ever.
            _ if read == 0 && made == 0 => Err(CheckFailure::Damaged),
            _ => Ok(made),
        }
    }

    fn end_member(&mut self, trailer: [u8; TRAILER_BYTES]) -> Result<(), CheckFailure> {
        let content = mem::replace(&mut self.content, Crc::new());
        let expected = u64::from(content.sum()) | u64::from(content.amount()) << 32;
        if u64::from_le_bytes(trailer) != expected {
            return Err(CheckFailure::Damaged);
        }
        self.inflater.reset();
        self.stage = Stage::MemberEnded;
        Ok(())
    }
}

fn advance(now: u64, before: u64) -> usize {
    usize::try_from(now - before).unwrap_or(usize::MAX)
}

/// Moves bytes from the chunk to where they are collected.
fn fill(bytes: &mut [u8], filled: &mut usize, chunk: &mut &[u8]) {
    let space = bytes.get_mut(*filled..).unwrap_or_default();
    let taken = space.len().min(chunk.len());
    let (now, later) = chunk.split_at(taken);
    if let Some(space) = space.get_mut(..taken) {
        space.copy_from_slice(now);
    }
    *filled += taken;
    *chunk = later;
}
