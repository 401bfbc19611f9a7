//! Spool files: bodies that wait for their place in the container.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use age::stream::StreamWriter;

use super::files::cut;
use super::flush::{sync_file, sync_folder};
use super::positioned::{PositionedReader, PositionedWriter};
use super::send::send;
use super::trust::Access;
use super::work_folder::WorkFolder;
use crate::encrypt::SpoolKey;

/// Bodies are copied in pieces of this much.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where bodies wait when the container is taken.
pub(crate) enum Spool {
    /// In named files of the work folder: the next run can use them.
    Named { folder: WorkFolder, next: AtomicU32 },
    /// In files without a name, gone with the process; encrypted where there is a key.
    Nameless {
        folder: PathBuf,
        key: Option<SpoolKey>,
    },
}

impl Spool {
    /// For error messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named { folder, .. } => folder.path(),
            Self::Nameless { folder, .. } => folder,
        }
    }

    /// An empty file.
    pub(crate) fn new_file(&self) -> io::Result<SpoolFile> {
        match self {
            Self::Named { folder, next } => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let path = folder.spool_file(number);
                let file = folder.open_file(&path, Access::Create)?;
                cut(&file, 0)?;
                Ok(SpoolFile {
                    file: Arc::new(file),
                    name: Some(SpoolFileName {
                        number,
                        folder: folder.clone(),
                        path,
                        on_drop: OnDrop::Remove,
                    }),
                    key: None,
                })
            }
            Self::Nameless { folder, key } => Ok(SpoolFile {
                file: Arc::new(tempfile::tempfile_in(folder)?),
                name: None,
                key: key.clone(),
            }),
        }
    }

    /// A file that holds this body.
    pub(crate) fn new_file_of(&self, body: &[u8]) -> io::Result<SpoolFile> {
        let spool_file = self.new_file()?;
        let mut writer = spool_file.writer()?;
        writer.write_all(body)?;
        writer.finish()?;
        Ok(spool_file)
    }
}

/// A body in a file of its own.
pub(crate) struct SpoolFile {
    file: Arc<File>,
    /// `None` for a file that only this process can reach.
    name: Option<SpoolFileName>,
    key: Option<SpoolKey>,
}

/// The name of a spool file, and what happens to the file when this value is dropped.
#[derive(Debug)]
pub(crate) struct SpoolFileName {
    number: u32,
    folder: WorkFolder,
    path: PathBuf,
    on_drop: OnDrop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDrop {
    /// The journal does not name the file: nobody would find it again.
    Remove,
    /// The journal names the file: the next run needs it.
    Keep,
}

impl SpoolFileName {
    /// Removes the file: its entry is in the container for good.
    pub(crate) fn remove(mut self) {
        self.on_drop = OnDrop::Remove;
    }
}

impl Drop for SpoolFileName {
    fn drop(&mut self) {
        if self.on_drop == OnDrop::Remove {
            // What cannot be removed now is removed at the next start or with the work folder.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl SpoolFile {
    /// Opens a spool file of an interrupted run, to read it.
    pub(crate) fn reopen(folder: &WorkFolder, number: u32) -> io::Result<Self> {
        Self::reopen_for(folder, number, Access::Read)
    }

    /// Opens a spool file of an interrupted run, to append to it.
    pub(crate) fn reopen_to_write(folder: &WorkFolder, number: u32) -> io::Result<Self> {
        Self::reopen_for(folder, number, Access::Write)
    }

    fn reopen_for(folder: &WorkFolder, number: u32, access: Access) -> io::Result<Self> {
        let path = folder.spool_file(number);
        Ok(Self {
            file: Arc::new(folder.open_file(&path, access)?),
            name: Some(SpoolFileName {
                number,
                folder: folder.clone(),
                path,
                on_drop: OnDrop::Keep,
            }),
            key: None,
        })
    }

    /// From now on the file stays when it is dropped: the journal names it, or is about to.
    pub(crate) fn keep(&mut self) {
        if let Some(name) = &mut self.name {
            name.on_drop = OnDrop::Keep;
        }
    }

    /// Writes to it from the start.
    pub(crate) fn writer(&self) -> io::Result<BodyWriter> {
        let mut file = PositionedWriter::new(Arc::clone(&self.file), 0);
        if self.name.is_none() {
            // It is gone with the process, and never flushed.
            file = file.not_flushed_ahead();
        }
        match &self.key {
            Some(key) => key.seal(file).map(BodyWriter::Sealed),
            None => Ok(BodyWriter::Plain(file)),
        }
    }

    /// Appends to the first `kept_bytes` bytes.
    pub(crate) fn writer_after(&self, kept_bytes: u64) -> io::Result<BodyWriter> {
        cut(&self.file, kept_bytes)?;
        let file = PositionedWriter::after(Arc::clone(&self.file), 0, kept_bytes);
        Ok(BodyWriter::Plain(file))
    }

    /// Reads the file by a handle of its own, where it has a name.
    pub(crate) fn reader(&self) -> io::Result<File> {
        match &self.name {
            Some(name) => name.folder.open_file(&name.path, Access::Read),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Reads what was written to it, from this byte of it on. Nobody may write to it meanwhile.
    pub(crate) fn reader_at(&self, at: u64) -> io::Result<Box<dyn io::Read>> {
        let Some(key) = &self.key else {
            return Ok(Box::new(PositionedReader::new(Arc::clone(&self.file), at)));
        };
        // A handle that shares its position with this one, which nobody else moves.
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let mut body = key.open(file)?;
        body.seek(SeekFrom::Start(at))?;
        Ok(Box::new(body))
    }

    /// Length of the file.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Copies the first bytes of a body from another file, from its current position.
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

    /// Copies the body to where only the system knows what it is: inside the kernel where it can.
    pub(crate) fn send_to(&self, to: &mut File) -> io::Result<u64> {
        if to.metadata()?.is_file() {
            return self.copy_to_file(to);
        }
        let sent = match &self.key {
            None => send(&self.file, to)?,
            Some(_) => None,
        };
        match sent {
            Some(length) => Ok(length),
            None => self.copy_to(to),
        }
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

    /// Flushes the body, then the folder: a flushed file whose name is lost helps nobody.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_file(&self.file)?;
        match self.name.as_ref().and_then(|name| name.path.parent()) {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }

    /// Number of the file, where it has a name that the next run can open.
    pub(crate) fn number(&self) -> Option<u32> {
        self.name.as_ref().map(|name| name.number)
    }

    /// Closes the file. Returns its name where the journal names it, so that it can be removed later.
    pub(crate) fn into_kept_name(self) -> Option<SpoolFileName> {
        self.name.filter(|name| name.on_drop == OnDrop::Keep)
    }

    /// Removes the file, also where the journal names it.
    pub(crate) fn remove(self) {
        if let Some(name) = self.name {
            name.remove();
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
    /// Into a file: the container, or a spool file.
    Plain(PositionedWriter),
    /// Into a spool file, encrypted.
    Sealed(StreamWriter<PositionedWriter>),
}

impl BodyWriter {
    /// Into the container.
    pub(crate) fn in_place(writer: PositionedWriter) -> Self {
        Self::Plain(writer)
    }

    /// See [`PositionedWriter::copy`]; nothing is copied where it is encrypted.
    pub(crate) fn copy(
        &mut self,
        from: (&File, u64),
        bytes: u64,
    ) -> io::Result<Option<io::Take<PositionedReader>>> {
        match self {
            Self::Plain(file) => file.copy(from, bytes).map(Some),
            Self::Sealed(_) => Ok(None),
        }
    }

    /// Up to which position of its file everything was handed to the system; `None` where it is encrypted.
    pub(crate) fn handed_over(&self) -> Option<u64> {
        match self {
            Self::Plain(file) => Some(file.handed_over()),
            Self::Sealed(_) => None,
        }
    }

    /// Everything is handed to the system.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Sealed(stream) => stream.finish()?.flush(),
        }
    }
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Sealed(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Sealed(stream) => stream.flush(),
        }
    }
}
