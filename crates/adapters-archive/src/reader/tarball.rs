//! Tar files, read in one pass (POSIX ustar and pax, GNU long names): the bag's own and those inside of it.
//!
//! The framing is read here, with the `tar` crate's headers: its own iterator takes a long name of any size into memory.

use std::io::{self, Read};

use domain::bag::verify::Damage;

use super::visit::{Content, damaged};

const BLOCK_BYTES: usize = 512;
/// Long names and pax headers; more is no name.
const LONGEST_EXTENSION_BYTES: u64 = 1024 * 1024;
/// The end is looked at in pieces of this size: programs add no more than 10 KiB.
const END_BYTES: usize = 8 * 1024;

/// A reader that may know a faster way over bytes that nobody wants.
pub(crate) trait Forward: Read {
    /// Where it stands; `None` where it reads what is packed.
    fn place(&mut self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Goes over `bytes` bytes; says how many there were.
    fn pass_over(&mut self, bytes: u64) -> io::Result<u64>;
}

/// Goes over bytes by reading them.
pub(crate) fn read_over(reader: &mut impl Read, bytes: u64) -> io::Result<u64> {
    io::copy(&mut reader.take(bytes), &mut io::sink())
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TarKind {
    File,
    Folder,
    /// Hard links lead from the top, symbolic ones from their own folder.
    HardLink(String),
    SymbolicLink(String),
    /// A device, a pipe, or a kind that is not known.
    Other,
}

/// One entry; its content is read from the [`Tarball`] until the next is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TarEntry {
    pub(crate) path: String,
    pub(crate) kind: TarKind,
    pub(crate) bytes: u64,
}

/// What a tar file must end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The two blocks of zeros that POSIX asks for, and nothing else: so that a cut is noticed.
    Marked,
    /// As other programs read it: what surrounds it proves that it is whole.
    Any,
}

/// A tar file under way. After an error nothing more can be read.
pub(crate) struct Tarball<R> {
    reader: R,
    ending: Ending,
    left: u64,
    padding: u64,
    stray: u64,
    broken: bool,
}

#[derive(Default)]
struct Extensions {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl<R: Forward> Tarball<R> {
    pub(crate) fn new(reader: R, ending: Ending) -> Self {
        Self {
            reader,
            ending,
            left: 0,
            padding: 0,
            stray: 0,
            broken: false,
        }
    }

    /// The next entry; `None` after the end, when all bytes were read. Errors are distinguished by [`super::visit::judge`].
    pub(crate) fn next_entry(&mut self) -> io::Result<Option<TarEntry>> {
        let next = self.advance();
        self.broken |= next.is_err();
        next
    }

    /// Whether an error was met, here or in an entry's content.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Bytes other than zero that filled up the entries' last blocks since this was last asked.
    pub(crate) fn take_stray(&mut self) -> u64 {
        std::mem::take(&mut self.stray)
    }

    fn advance(&mut self) -> io::Result<Option<TarEntry>> {
        let mut extensions = Extensions::default();
        loop {
            self.pass_over_rest()?;
            let block = match (self.block()?, self.ending) {
                (Some(block), _) => block,
                (None, Ending::Any) => return Ok(None),
                (None, Ending::Marked) => return Err(damaged(Damage::EndsEarly)),
            };
            if block == [0; BLOCK_BYTES] {
                return self.end().map(|()| None);
            }
            if !is_header(&block) {
                return Err(damaged(Damage::Header));
            }
            let header = tar::Header::from_byte_slice(&block);
            let size = header.entry_size().map_err(|_| damaged(Damage::Header))?;
            self.begin(size);
            match header.entry_type().as_byte() {
                b'L' => extensions.path = Some(self.text()?),
                b'K' => extensions.link = Some(self.text()?),
                b'x' => self.pax(&mut extensions)?,
                // A global header speaks of times and comments.
                b'g' => {}
                _ => return Ok(Some(self.entry(header, extensions))),
            }
        }
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK_BYTES as u64;
    }

    fn entry(&mut self, header: &tar::Header, extensions: Extensions) -> TarEntry {
        if let Some(size) = extensions.size {
            self.begin(size);
        }
        let path = extensions
            .path
            .unwrap_or_else(|| String::from_utf8_lossy(&header.path_bytes()).into_owned());
        let link = || {
            let in_header = || header.link_name_bytes().unwrap_or_default();
            let link = extensions.link.clone();
            link.unwrap_or_else(|| String::from_utf8_lossy(&in_header()).into_owned())
        };
        let kind = match header.entry_type().as_byte() {
            // Before POSIX a folder was a file whose name ends in a slash.
            b'0' | 0 | b'7' if path.ends_with('/') => TarKind::Folder,
            b'0' | 0 | b'7' => TarKind::File,
            b'5' => TarKind::Folder,
            b'1' => TarKind::HardLink(link()),
            b'2' => TarKind::SymbolicLink(link()),
            _ => TarKind::Other,
        };
        // The size of a link is of what it leads to, in some programs' headers; no data follows.
        if matches!(kind, TarKind::HardLink(_) | TarKind::SymbolicLink(_)) {
            self.begin(0);
        }
        TarEntry {
            path,
            kind,
            bytes: self.left,
        }
    }

    fn block(&mut self) -> io::Result<Option<[u8; BLOCK_BYTES]>> {
        let mut block = [0; BLOCK_BYTES];
        match read_full(&mut self.reader, &mut block)? {
            0 => Ok(None),
            BLOCK_BYTES => Ok(Some(block)),
            _ => Err(damaged(Damage::EndsEarly)),
        }
    }

    fn pass_over_rest(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(damaged(Damage::EndsEarly));
        }
        if self.left > 0 && self.reader.pass_over(self.left)? < self.left {
            return Err(damaged(Damage::EndsEarly));
        }
        self.left = 0;
        let mut filling = [0; BLOCK_BYTES];
        let length = usize::try_from(self.padding).unwrap_or_default();
        let filling = filling.get_mut(..length).unwrap_or_default();
        if read_full(&mut self.reader, filling)? < length {
            return Err(damaged(Damage::EndsEarly));
        }
        self.stray += filling.iter().filter(|&&byte| byte != 0).count() as u64;
        self.padding = 0;
        Ok(())
    }

    /// Two blocks of zeros end a tar file; programs add more, but nothing else.
    fn end(&mut self) -> io::Result<()> {
        if self.ending == Ending::Any {
            return Ok(());
        }
        if self.block()?.is_none_or(|block| block != [0; BLOCK_BYTES]) {
            return Err(damaged(Damage::End));
        }
        let mut buffer = [0; END_BYTES];
        loop {
            let read = self.reader.read(&mut buffer)?;
            let rest = buffer.get(..read).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|&byte| byte != 0) {
                return Err(damaged(Damage::End));
            }
        }
    }

    fn extension(&mut self) -> io::Result<Vec<u8>> {
        if self.left > LONGEST_EXTENSION_BYTES {
            return Err(damaged(Damage::Header));
        }
        let mut bytes = Vec::new();
        self.take(LONGEST_EXTENSION_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        let bytes = self.extension()?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end_matches('\0').to_owned())
    }

    fn pax(&mut self, extensions: &mut Extensions) -> io::Result<()> {
        let bytes = self.extension()?;
        for record in tar::PaxExtensions::new(&bytes) {
            let record = record.map_err(|_| damaged(Damage::Header))?;
            let value = String::from_utf8_lossy(record.value_bytes());
            match record.key_bytes() {
                b"path" => extensions.path = Some(value.into_owned()),
                b"linkpath" => extensions.link = Some(value.into_owned()),
                b"size" => {
                    let size = value.parse().map_err(|_| damaged(Damage::Header))?;
                    extensions.size = Some(size);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The content of the current entry.
impl<R: Forward> Read for Tarball<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(unfilled) = buffer
            .get_mut(..length)
            .filter(|unfilled| !unfilled.is_empty())
        else {
            return Ok(0);
        };
        let read = self.reader.read(unfilled).and_then(|read| match read {
            0 => Err(damaged(Damage::EndsEarly)),
            read => Ok(read),
        });
        self.broken |= read.is_err();
        let read = read?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl<R: Forward> Content for Tarball<R> {
    fn place(&mut self) -> io::Result<Option<u64>> {
        self.reader.place()
    }
}

/// Whether these bytes begin with a header whose checksum is right, as also the oldest tar files do.
pub(crate) fn is_header(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|block| {
        let header = tar::Header::from_byte_slice(block);
        header.cksum().ok() == Some(checksum(block))
    })
}

fn checksum(block: &[u8; BLOCK_BYTES]) -> u32 {
    const FIELD: std::ops::Range<usize> = 148..156;
    let bytes = block.iter().enumerate();
    bytes
        .map(|(at, &byte)| u32::from(if FIELD.contains(&at) { b' ' } else { byte }))
        .sum()
}

fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(unfilled) = buffer
        .get_mut(filled..)
        .filter(|unfilled| !unfilled.is_empty())
    {
        match reader.read(unfilled) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
