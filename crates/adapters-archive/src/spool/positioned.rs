//! Reading and writing a file from a position of one's own: several can write to different places of one file at the same time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::flush::begin_flush;
use super::transfer::transfer;

/// Writes to the disk are gathered to this much: small ones would cost a system call each.
const BUFFER_BYTES: usize = 256 * 1024;
/// A longer piece is written as it is: gathering it would only copy it.
const LARGE_BYTES: usize = 64 * 1024;
/// The disk begins to write each time so much more was handed to the system, so that little is left when the entry is flushed. Each
/// time costs the system some work that does not depend on how much it is.
const FLUSHED_AHEAD_BYTES: u64 = 32 * 1024 * 1024;

/// Writes to one place of a file.
pub(crate) struct PositionedWriter {
    file: Arc<File>,
    /// Gathered, and not handed to the system yet.
    buffer: Vec<u8>,
    /// Where the next byte is handed to the system.
    at: u64,
    /// Up to here the disk has been asked to begin; `None` where it never is.
    flushing: Option<u64>,
    /// These are in the file already, and are not written again.
    to_skip: u64,
    /// Nothing is written from here on: it is somebody else's.
    limit: u64,
}

impl PositionedWriter {
    /// Writes from this position on.
    pub(crate) fn new(file: Arc<File>, at: u64) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            at,
            flushing: Some(at),
            to_skip: 0,
            limit: u64::MAX,
        }
    }

    /// Writes from `at` on what is not among the first `kept` bytes. The encoder has to produce these once more, since its state
    /// depends on them.
    pub(crate) fn after(file: Arc<File>, at: u64, kept: u64) -> Self {
        Self {
            to_skip: kept,
            ..Self::new(file, at.saturating_add(kept))
        }
    }

    /// For a file that is never flushed: the disk may not have to write it at all.
    pub(crate) fn not_flushed_ahead(self) -> Self {
        Self {
            flushing: None,
            ..self
        }
    }

    /// Writes nothing from this position on.
    pub(crate) fn up_to(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Up to which position everything was handed to the system.
    pub(crate) fn handed_over(&self) -> u64 {
        self.at
    }

    fn hand_over(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.at.saturating_add(bytes.len() as u64);
        if end > self.limit {
            return Err(io::Error::other("more was written than there is place for"));
        }
        self.file.write_all_at(bytes, self.at)?;
        self.is_at(end);
        Ok(())
    }

    fn is_at(&mut self, end: u64) {
        self.at = end;
        if let Some(flushing) = &mut self.flushing
            && end - *flushing >= FLUSHED_AHEAD_BYTES
        {
            begin_flush(&self.file, *flushing, end);
            *flushing = end;
        }
    }

    /// Has the system copy bytes out of another file to where the next byte belongs, as many as it can. They are returned to be read
    /// again, and have to be: they are expected to be written next, and are not written then, since they are in the file already.
    pub(crate) fn copy(
        &mut self,
        from: (&File, u64),
        bytes: u64,
    ) -> io::Result<io::Take<PositionedReader>> {
        self.flush()?;
        let begin = self.at;
        // What is to be skipped already would lie before.
        let free = match self.to_skip {
            0 => self.limit.saturating_sub(begin),
            _ => 0,
        };
        let copied = transfer(from, (&self.file, begin), bytes.min(free));
        self.to_skip += copied;
        self.is_at(begin + copied);
        Ok(PositionedReader::new(Arc::clone(&self.file), begin).take(copied))
    }

    fn hand_over_gathered(&mut self) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.buffer);
        let result = self.hand_over(&gathered);
        gathered.clear();
        self.buffer = gathered;
        result
    }

    /// How many of these bytes are in the file already.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        let known = usize::try_from(self.to_skip)
            .unwrap_or(bytes.len())
            .min(bytes.len());
        self.to_skip -= known as u64;
        known
    }
}

impl Write for PositionedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.to_skip > 0 {
            return Ok(self.skip(bytes));
        }
        if self.buffer.is_empty() && bytes.len() >= LARGE_BYTES {
            self.hand_over(bytes)?;
            return Ok(bytes.len());
        }
        let free = BUFFER_BYTES - self.buffer.len();
        let (now, _) = bytes.split_at(free.min(bytes.len()));
        self.buffer.extend_from_slice(now);
        if self.buffer.len() == BUFFER_BYTES {
            self.hand_over_gathered()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.hand_over_gathered()
    }
}

/// Reads one place of a file.
pub(crate) struct PositionedReader {
    file: Arc<File>,
    at: u64,
}

impl PositionedReader {
    pub(crate) fn new(file: Arc<File>, at: u64) -> Self {
        Self { file, at }
    }
}

impl Read for PositionedReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Copies bytes from one place of a file to another that does not overlap it.
pub(crate) fn copy_within(file: &File, from: u64, to: u64, length: u64) -> io::Result<()> {
    let mut piece = vec![0; BUFFER_BYTES];
    let mut copied = 0;
    while copied < length {
        let left = usize::try_from(length - copied).unwrap_or(BUFFER_BYTES);
        piece.truncate(left.max(1));
        file.read_exact_at(&mut piece, from + copied)?;
        file.write_all_at(&piece, to + copied)?;
        copied += piece.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_kit::noise;

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    fn content(file: &Arc<File>, at: u64, length: usize) -> Vec<u8> {
        let mut read = vec![0; length];
        let mut reader = PositionedReader::new(Arc::clone(file), at);
        reader.read_exact(&mut read).unwrap();
        read
    }

    #[test]
    fn two_that_write_by_turns_do_not_disturb_each_other() {
        let file = file();
        let (first, second) = (noise(1, 900_000), noise(2, 900_000));
        let mut writers = [
            (PositionedWriter::new(Arc::clone(&file), 10), &first),
            (PositionedWriter::new(Arc::clone(&file), 900_010), &second),
        ];
        for at in (0..900_000).step_by(90_000) {
            for (writer, content) in &mut writers {
                writer.write_all(&content[at..at + 90_000]).unwrap();
            }
        }
        for (writer, _) in &mut writers {
            writer.flush().unwrap();
        }
        assert!(content(&file, 10, 900_000) == first);
        assert!(content(&file, 900_010, 900_000) == second);
    }

    #[test]
    fn nothing_is_written_beyond_the_limit() {
        let file = file();
        file.write_all_at(&vec![7; 300_000], 0).unwrap();
        let mut writer = PositionedWriter::new(Arc::clone(&file), 0).up_to(100_000);
        writer.write_all(&vec![1; 100_000]).unwrap();
        assert!(writer.write_all(&vec![1; 100_000]).is_err());
        let mut small = PositionedWriter::new(Arc::clone(&file), 0).up_to(10);
        small.write_all(&[1; 11]).unwrap();
        assert!(small.flush().is_err());
        assert_eq!(content(&file, 100_000, 200_000), vec![7; 200_000]);
    }

    #[test]
    fn bytes_are_copied_to_another_place_of_the_file() {
        let file = file();
        let bytes = noise(1, 600_000);
        file.write_all_at(&bytes, 700_000).unwrap();
        copy_within(&file, 700_000, 3, 600_000).unwrap();
        assert!(content(&file, 3, 600_000) == bytes);
        assert!(copy_within(&file, 1_200_000, 0, 600_000).is_err());
    }

    #[test]
    fn bytes_that_were_copied_are_not_written_again() {
        let (file, from) = (file(), file());
        let content = noise(1, 500_000);
        from.write_all_at(&content, 7).unwrap();
        let mut writer = PositionedWriter::new(Arc::clone(&file), 10).up_to(400_010);
        writer.write_all(&content[..1000]).unwrap();
        let copied = writer.copy((&*from, 1007), 300_000).unwrap();
        let length = usize::try_from(copied.limit()).unwrap();
        assert_eq!(
            length,
            if cfg!(target_os = "linux") {
                300_000
            } else {
                0
            }
        );
        // Whatever is written for them, they stay what they are.
        writer.write_all(&vec![0; length]).unwrap();
        writer.write_all(&content[1000 + length..301_500]).unwrap();
        writer.flush().unwrap();
        assert!(self::content(&file, 10, 301_500) == content[..301_500]);
        let copied = writer.copy((&*from, 0), 200_000).unwrap();
        assert!(copied.limit() <= 98_500, "it is not its own from there on");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_in_pieces_is_there_whole_once_it_is_flushed(
            pieces in proptest::collection::vec(
                prop_oneof![0..2000_usize, 60_000..70_000_usize, Just(600_000)], 0..6,
            ),
            at in 0..5000_u64,
            kept in 0..3000_usize,
        ) {
            let bytes = noise(3, pieces.iter().sum());
            let kept = kept.min(bytes.len());
            let file = file();
            file.write_all_at(&bytes[..kept], at).unwrap();
            let mut writer = PositionedWriter::after(Arc::clone(&file), at, kept as u64);
            let mut from = 0;
            for piece in pieces {
                writer.write_all(&bytes[from..from + piece]).unwrap();
                prop_assert!(content(&file, at, usize::try_from(writer.handed_over() - at).unwrap()).len() <= bytes.len());
                from += piece;
            }
            writer.flush().unwrap();
            prop_assert_eq!(writer.handed_over(), at + bytes.len() as u64);
            prop_assert!(content(&file, at, bytes.len()) == bytes);
        }
    }
}
