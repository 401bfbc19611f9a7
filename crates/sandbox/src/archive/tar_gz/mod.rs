//! A `.tar.gz` as a plan of segments, and its bytes from any offset on.

use std::sync::Arc;

use bytes::Bytes;
use flate2::Crc;
use sha2::{Digest, Sha256};

use super::blocks::{BLOCK_BYTES, frame};
use super::compressible;
use super::noise::{self, CHUNK_BYTES, FRAMED_BYTES};
use crate::hexadecimal::hexadecimal;

const TAR_BLOCK_BYTES: u64 = 512;
/// Two blocks of zeros end a tar file.
const TAR_END_BYTES: usize = 1024;
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
const LAST_EMPTY_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// A file inside an archive.
pub(crate) struct ArchiveFile {
    pub(crate) path: String,
    pub(crate) content: FileContent,
}

pub(crate) enum FileContent {
    Bytes(Vec<u8>),
    /// Bytes that look random and follow from the seed.
    Noise {
        seed: u64,
        bytes: u64,
    },
    /// Bytes that compress as software does, to about this length.
    Compressible {
        seed: u64,
        bytes: u64,
    },
}

impl FileContent {
    fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(content) => content.len() as u64,
            Self::Noise { bytes, .. } => *bytes,
            Self::Compressible { bytes, .. } => {
                let framed = compressible::chunk().framed.len() as u64;
                bytes / framed * compressible::chunk().plain_bytes() + bytes % framed
            }
        }
    }
}

/// A `.tar.gz` whose bytes can be had from any offset on.
#[derive(Clone)]
pub(crate) struct Archive {
    segments: Arc<[Segment]>,
    bytes: u64,
}

enum Segment {
    Literal(Bytes),
    Noise { seed: u64, chunks: u64 },
    Compressible { chunks: u64 },
}

impl Segment {
    fn bytes(&self) -> u64 {
        match self {
            Self::Literal(bytes) => bytes.len() as u64,
            Self::Noise { chunks, .. } => chunks * FRAMED_BYTES,
            Self::Compressible { chunks } => chunks * compressible::chunk().framed.len() as u64,
        }
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Archive({} bytes)", self.bytes)
    }
}

impl Archive {
    /// An archive that somebody else has made, byte for byte.
    pub(crate) fn of_bytes(bytes: Bytes) -> Self {
        Self {
            bytes: bytes.len() as u64,
            segments: [Segment::Literal(bytes)].into(),
        }
    }

    pub(crate) fn build(files: Vec<ArchiveFile>) -> std::io::Result<Self> {
        let mut layout = Layout::default();
        for file in files {
            layout.file(file)?;
        }
        Ok(layout.finish())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The archive's bytes from `offset` on, in pieces of moderate size.
    pub(crate) fn pieces_from(&self, offset: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
        let segments = Arc::clone(&self.segments);
        let mut at = Position {
            segment: 0,
            inside: offset,
        };
        std::iter::from_fn(move || at.next_piece(&segments))
    }

    /// SHA-256 of the whole, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        self.pieces_from(0).for_each(|piece| hasher.update(&piece));
        hexadecimal(&hasher.finalize())
    }
}

struct Position {
    segment: usize,
    inside: u64,
}

impl Position {
    fn next_piece(&mut self, segments: &[Segment]) -> Option<Bytes> {
        loop {
            let segment = segments.get(self.segment)?;
            if self.inside < segment.bytes() {
                let piece = self.piece_of(segment);
                self.inside += piece.len() as u64;
                return Some(piece);
            }
            self.inside -= segment.bytes();
            self.segment += 1;
        }
    }

    fn piece_of(&self, segment: &Segment) -> Bytes {
        match segment {
            Segment::Literal(bytes) => bytes.slice(usize_of(self.inside)..),
            Segment::Noise { seed, .. } => {
                let chunk = noise::framed(*seed, self.inside / FRAMED_BYTES);
                chunk.slice(usize_of(self.inside % FRAMED_BYTES)..)
            }
            Segment::Compressible { .. } => {
                let framed = &compressible::chunk().framed;
                framed.slice(usize_of(self.inside % framed.len() as u64)..)
            }
        }
    }
}

/// The callers' offsets lie inside something that is in memory.
fn usize_of(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// An archive in the making: what was written, as blocks, and the checksum of what they hold.
#[derive(Default)]
struct Layout {
    segments: Vec<Segment>,
    plain: Vec<u8>,
    crc: Crc,
    plain_bytes: u64,
}

impl Layout {
    fn file(&mut self, file: ArchiveFile) -> std::io::Result<()> {
        let bytes = file.content.bytes();
        let mut header = tar::Header::new_ustar();
        header.set_path(&file.path)?;
        header.set_size(bytes);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        self.write(header.as_bytes());
        match file.content {
            FileContent::Bytes(content) => self.write(&content),
            FileContent::Noise { seed, bytes } => self.noise(seed, bytes),
            FileContent::Compressible { seed, bytes } => self.compressible(seed, bytes),
        }
        self.write(&vec![
            0;
            usize_of(
                bytes.next_multiple_of(TAR_BLOCK_BYTES) - bytes
            )
        ]);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.plain_bytes += bytes.len() as u64;
        self.plain.extend_from_slice(bytes);
    }

    fn noise(&mut self, seed: u64, bytes: u64) {
        let chunks = bytes / CHUNK_BYTES;
        if chunks > 0 {
            self.flush();
            self.segments.push(Segment::Noise { seed, chunks });
            self.plain_bytes += chunks * CHUNK_BYTES;
            for index in 0..chunks {
                self.crc.combine(noise::checksum(seed, index));
            }
        }
        let rest = usize_of(bytes % CHUNK_BYTES);
        self.write(&noise::plain(seed, chunks)[..rest]);
    }

    fn compressible(&mut self, seed: u64, bytes: u64) {
        let chunk = compressible::chunk();
        let framed = chunk.framed.len() as u64;
        let chunks = bytes / framed;
        if chunks > 0 {
            self.flush();
            self.segments.push(Segment::Compressible { chunks });
            self.plain_bytes += chunks * chunk.plain_bytes();
            for _ in 0..chunks {
                self.crc.combine(&chunk.checksum);
            }
        }
        self.noise(seed, bytes % framed);
    }

    fn flush(&mut self) {
        let mut framed = if self.segments.is_empty() {
            GZIP_HEADER.to_vec()
        } else {
            Vec::new()
        };
        for block in self.plain.chunks(BLOCK_BYTES) {
            frame(block, &mut framed);
        }
        self.plain.clear();
        self.segments.push(Segment::Literal(framed.into()));
    }

    fn finish(mut self) -> Archive {
        self.write(&[0; TAR_END_BYTES]);
        self.flush();
        let mut end = LAST_EMPTY_BLOCK.to_vec();
        end.extend_from_slice(&self.crc.sum().to_le_bytes());
        // RFC 1952 §2.3.1: the length modulo 2^32.
        end.extend_from_slice(&self.plain_bytes.to_le_bytes()[..4]);
        self.segments.push(Segment::Literal(end.into()));
        let bytes = self.segments.iter().map(Segment::bytes).sum();
        Archive {
            segments: self.segments.into(),
            bytes,
        }
    }
}

#[cfg(test)]
mod tests;
