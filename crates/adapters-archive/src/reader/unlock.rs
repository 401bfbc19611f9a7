//! Bags encrypted with age: opened with identities or a passphrase, decrypted as they are read.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Identity, IdentityFile};

use domain::text::decode;

use super::error::{ReadError, not_a_bag};
use super::input::{BUFFER_BYTES, ReadSeek};
use super::visit::Layer;

use crate::memory::{check_scrypt, in_words, scrypt_bytes};

/// The first bytes of an age file.
pub(crate) const MAGIC: &[u8] = b"age-encryption.org/v1";
/// Larger than any list of identities.
const LARGEST_IDENTITY_FILE_BYTES: u64 = 1024 * 1024;

/// The largest cost of a passphrase that age's own tool accepts, as a power of two.
const MOST_WORK: u8 = 22;
/// The header of a bag that needs a passphrase has some 200 bytes; those with many recipients have more.
const HEADER_BYTES: usize = 64 * 1024;

const DAMAGED_HEADER: &str = "the header of its encryption is damaged or cut off";

/// What opens an encrypted bag.
pub enum Unlock {
    /// Files with age identities (`AGE-SECRET-KEY-1…`) or one unencrypted SSH private key each.
    IdentityFiles(Vec<PathBuf>),
    /// The passphrase that it was encrypted with.
    Passphrase(SecretString),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityFiles(files) => f.debug_tuple("IdentityFiles").field(files).finish(),
            Self::Passphrase(_) => f.write_str("Passphrase(…)"),
        }
    }
}

/// The plain bytes of an age file, for reading at any place.
pub(crate) fn decrypted(
    path: &Path,
    mut file: Box<dyn ReadSeek>,
    unlock: Option<&Unlock>,
) -> Result<Box<dyn ReadSeek>, ReadError> {
    let unlock = unlock.ok_or_else(|| ReadError::Encrypted {
        path: path.to_owned(),
    })?;
    let locked = |source| match source {
        // The magic line is there, so it was an age file.
        DecryptError::InvalidHeader | DecryptError::InvalidMac => not_a_bag(path, DAMAGED_HEADER),
        DecryptError::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            not_a_bag(path, DAMAGED_HEADER)
        }
        DecryptError::Io(source) => ReadError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        },
        source => ReadError::Locked {
            path: path.to_owned(),
            source,
        },
    };
    if matches!(unlock, Unlock::Passphrase(_)) {
        check_work(path, &mut file)?;
    }
    let identities = identities(unlock)?;
    let reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let decryptor = Decryptor::new_buffered(reader).map_err(locked)?;
    let plain = decryptor
        .decrypt(
            identities
                .iter()
                .map(|identity| &**identity as &dyn Identity),
        )
        .map_err(locked)?;
    Ok(Box::new(Layer(Plain {
        reader: plain,
        length: None,
        position: 0,
    })))
}

/// The plain bytes, for reading at any place, also behind their end: there age's own reader would panic.
struct Plain<R> {
    reader: StreamReader<R>,
    length: Option<u64>,
    position: u64,
}

impl<R: Read + Seek> Plain<R> {
    /// The length, known once somebody jumps: age proves it by the last chunk.
    fn length(&mut self) -> io::Result<u64> {
        if let Some(length) = self.length {
            return Ok(length);
        }
        let length = self.reader.seek(SeekFrom::End(0))?;
        self.reader
            .seek(SeekFrom::Start(self.position.min(length)))?;
        self.length = Some(length);
        Ok(length)
    }
}

impl<R: Read + Seek> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.length.is_some_and(|length| self.position >= length) {
            return Ok(0);
        }
        let read = self.reader.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Plain<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(0) => {
                self.position = 0;
                return self.reader.seek(to);
            }
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(0) => return Ok(self.position),
            SeekFrom::Current(by) => (self.position, by),
            SeekFrom::End(by) => (self.length()?, by),
        };
        let length = self.length()?;
        let target = from
            .checked_add_signed(by)
            .ok_or(io::ErrorKind::InvalidInput)?;
        if target < length {
            self.reader.seek(SeekFrom::Start(target))?;
        }
        self.position = target;
        Ok(target)
    }
}

/// Refuses a bag whose passphrase costs more memory than there is, before it is tried: otherwise the system would end the process.
fn check_work(path: &Path, file: &mut Box<dyn ReadSeek>) -> Result<(), ReadError> {
    let failed = |source| ReadError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let at = file.stream_position().map_err(failed)?;
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let most = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
    (&mut *file)
        .take(most)
        .read_to_end(&mut header)
        .map_err(failed)?;
    file.seek(SeekFrom::Start(at)).map_err(failed)?;
    let Some(factor) = work_factor(&header) else {
        return Ok(());
    };
    if factor > MOST_WORK {
        return Err(ReadError::ExcessiveWork {
            path: path.to_owned(),
            needed: in_words(scrypt_bytes(factor)),
            most: in_words(scrypt_bytes(MOST_WORK)),
        });
    }
    check_scrypt(factor).map_err(|source| ReadError::Memory {
        path: path.to_owned(),
        source,
    })
}

/// scrypt's cost as an age header asks for it; `None` where it asks for no passphrase, or is no header.
fn work_factor(header: &[u8]) -> Option<u8> {
    header
        .split(|byte| *byte == b'\n')
        .skip(1)
        .take_while(|line| !line.starts_with(b"---"))
        .find_map(|line| {
            let stanza = std::str::from_utf8(line).ok()?.strip_prefix("-> scrypt ")?;
            let factor = stanza.split(' ').nth(1)?;
            factor
                .bytes()
                .all(|digit| digit.is_ascii_digit())
                // One that is larger than any number is larger than what is allowed.
                .then(|| factor.parse().unwrap_or(u8::MAX))
        })
}

type Identities = Vec<Box<dyn Identity + Send + Sync>>;

fn identities(unlock: &Unlock) -> Result<Identities, ReadError> {
    match unlock {
        Unlock::Passphrase(passphrase) => {
            let mut identity = age::scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MOST_WORK);
            Ok(vec![Box::new(identity)])
        }
        Unlock::IdentityFiles(files) => {
            let mut identities = Identities::new();
            for file in files {
                identities.extend(read_identities(file)?);
            }
            Ok(identities)
        }
    }
}

fn read_identities(path: &Path) -> Result<Identities, ReadError> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| {
            file.take(LARGEST_IDENTITY_FILE_BYTES)
                .read_to_end(&mut text)
        })
        .map_err(|source| ReadError::NoIdentityFile {
            path: path.to_owned(),
            source,
        })?;
    let unusable = || ReadError::Identity {
        path: path.to_owned(),
    };
    let text = decode(&text).map_err(|_| unusable())?;
    let text = text.as_bytes();
    if text.starts_with(b"-----BEGIN") {
        return match age::ssh::Identity::from_buffer(text, None) {
            Ok(identity @ age::ssh::Identity::Unencrypted(_)) => Ok(vec![Box::new(identity)]),
            _ => Err(unusable()),
        };
    }
    let identities = IdentityFile::from_buffer(text)
        .ok()
        .and_then(|file| file.into_identities().ok())
        .filter(|identities| !identities.is_empty());
    identities.ok_or_else(unusable)
}
