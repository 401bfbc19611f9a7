//! Bodies that wait for their place in files of their own.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use age::stream::StreamWriter;

use super::{Access, WorkFolder, cut, sync_file, sync_folder};
use crate::encrypt::StageKey;

/// Writes to the disk are gathered to at least this much.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where bodies wait that find the container taken.
pub(crate) enum StageRoom {
    /// In named files of the work folder: they can be taken up again after a kill.
    Named { folder: WorkFolder, next: AtomicU32 },
    /// In files without a name, gone with the process; encrypted where there is a key.
    Nameless {
        folder: PathBuf,
        key: Option<StageKey>,
    },
}

impl StageRoom {
    /// For error messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named { folder, .. } => folder.path(),
            Self::Nameless { folder, .. } => folder,
        }
    }

    /// An empty file.
    pub(crate) fn stage(&self) -> io::Result<Stage> {
        match self {
            Self::Named { folder, next } => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let path = folder.stage(number);
                let file = folder.open_file(&path, Access::Create)?;
                cut(&file, 0)?;
                Ok(Stage {
                    file: Arc::new(file),
                    named: Some(NamedStage {
                        number,
                        folder: folder.clone(),
                        path,
                        fate: Fate::Removed,
                    }),
                    key: None,
                })
            }
            Self::Nameless { folder, key } => Ok(Stage {
                file: Arc::new(tempfile::tempfile_in(folder)?),
                named: None,
                key: key.clone(),
            }),
        }
    }
}

/// A body in a file of its own.
pub(crate) struct Stage {
    file: Arc<File>,
    named: Option<NamedStage>,
    key: Option<StageKey>,
}

/// The name of a stage file.
#[derive(Debug)]
pub(crate) struct NamedStage {
    number: u32,
    folder: WorkFolder,
    path: PathBuf,
    fate: Fate,
}

/// What becomes of a stage file when nobody holds it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is removed: nothing tells of it.
    Removed,
    /// It stays: the journal tells of it.
    Kept,
}

impl NamedStage {
    /// The entry is in the container for good.
    pub(crate) fn remove(mut self) {
        self.fate = Fate::Removed;
    }
}

impl Drop for NamedStage {
    fn drop(&mut self) {
        if self.fate == Fate::Removed {
            // What stays behind is removed at the next start or with the work folder.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Stage {
    /// Takes up a stage file that an interrupted run left.
    pub(crate) fn reopen(folder: &WorkFolder, number: u32) -> io::Result<Self> {
        let path = folder.stage(number);
        Ok(Self {
            file: Arc::new(folder.open_file(&path, Access::Read)?),
            named: Some(NamedStage {
                number,
                folder: folder.clone(),
                path,
                fate: Fate::Kept,
            }),
            key: None,
        })
    }

    /// Takes up a stage file to write on.
    pub(crate) fn reopen_to_write(folder: &WorkFolder, number: u32) -> io::Result<Self> {
        let file = folder.open_file(&folder.stage(number), Access::Write)?;
        let stage = Self::reopen(folder, number)?;
        Ok(Self {
            file: Arc::new(file),
            ..stage
        })
    }

    /// The journal tells of it now.
    pub(crate) fn keep(&mut self) {
        if let Some(named) = &mut self.named {
            named.fate = Fate::Kept;
        }
    }

    /// Writes to it from the start.
    pub(crate) fn writer(&self) -> io::Result<BodyWriter> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, Arc::clone(&self.file));
        match &self.key {
            Some(key) => key.seal(file).map(BodyWriter::Sealed),
            None => Ok(BodyWriter::Plain(file)),
        }
    }

    /// Writes on behind the first `there` bytes, which are written once more by whoever brings their packing up to there, and are
    /// left as they are.
    pub(crate) fn writer_behind(&self, there: u64) -> io::Result<BodyWriter> {
        cut(&self.file, there)?;
        let mut file = Arc::clone(&self.file);
        file.seek(SeekFrom::Start(there))?;
        Ok(BodyWriter::Behind {
            there,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
        })
    }

    /// Reads the file by a handle of its own, where it has a name.
    pub(crate) fn reader(&self) -> io::Result<File> {
        match &self.named {
            Some(named) => named.folder.open_file(&named.path, Access::Read),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Length of the file.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Takes the beginning of a body from another file, from where that stands.
    pub(crate) fn copy_from(&self, from: &File, length: u64) -> io::Result<()> {
        let copied = io::copy(&mut from.take(length), &mut &*self.file)?;
        if copied == length {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Copies the body to the end of a file: inside the kernel where the system can.
    pub(crate) fn copy_to_file(&self, mut to: &File) -> io::Result<u64> {
        if self.key.is_some() {
            return self.copy_to(&mut to);
        }
        let mut from = &*self.file;
        from.seek(SeekFrom::Start(0))?;
        io::copy(&mut from, &mut to)
    }

    /// Copies the body.
    pub(crate) fn copy_to(&self, to: &mut dyn Write) -> io::Result<u64> {
        let mut from = &*self.file;
        from.seek(SeekFrom::Start(0))?;
        match &self.key {
            None => copy_in_large_pieces(&mut from, to),
            Some(key) => copy_in_large_pieces(&mut key.open(from)?, to),
        }
    }

    /// Length and CRC-32 of the file.
    pub(crate) fn measure(&self) -> io::Result<(u64, u32)> {
        let mut crc = CrcWriter(crc32fast::Hasher::new());
        let length = self.copy_to(&mut crc)?;
        Ok((length, crc.0.finalize()))
    }

    /// Flushes the body and the fact that it is there.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_file(&self.file)?;
        match self.named.as_ref().and_then(|named| named.path.parent()) {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }

    /// Number of the file, where it can be taken up again.
    pub(crate) fn number(&self) -> Option<u32> {
        self.named.as_ref().map(|named| named.number)
    }

    /// Gives up everything but the name of a file that the journal tells of, so that it can be removed later.
    pub(crate) fn into_kept_name(self) -> Option<NamedStage> {
        self.named.filter(|named| named.fate == Fate::Kept)
    }

    /// Removes the file, whether the journal tells of it or not.
    pub(crate) fn remove(self) {
        if let Some(named) = self.named {
            named.remove();
        }
    }
}

fn copy_in_large_pieces(from: &mut impl io::Read, to: &mut dyn Write) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..read).unwrap_or_default())?;
        copied += read as u64;
    }
}

struct CrcWriter(crc32fast::Hasher);

impl Write for CrcWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the bytes of a body go.
pub(crate) enum BodyWriter {
    /// Into a file.
    Plain(BufWriter<Arc<File>>),
    /// Into a file, encrypted.
    Sealed(StreamWriter<BufWriter<Arc<File>>>),
    /// Into a file that holds the first `there` bytes to come already.
    Behind {
        there: u64,
        file: BufWriter<Arc<File>>,
    },
}

impl BodyWriter {
    /// Writes into the container itself, from where its file stands.
    pub(crate) fn in_place(file: Arc<File>) -> Self {
        Self::Plain(BufWriter::with_capacity(BUFFER_BYTES, file))
    }

    /// Everything is handed to the system.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) | Self::Behind { mut file, .. } => file.flush(),
            Self::Sealed(stream) => stream.finish()?.flush(),
        }
    }
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) | Self::Behind { there: 0, file } => file.write(bytes),
            Self::Sealed(stream) => stream.write(bytes),
            Self::Behind { there, .. } => {
                let known = usize::try_from(*there)
                    .unwrap_or(bytes.len())
                    .min(bytes.len());
                *there -= known as u64;
                Ok(known)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) | Self::Behind { file, .. } => file.flush(),
            Self::Sealed(stream) => stream.flush(),
        }
    }
}
