//! The file of a bag's receipt, and its signature beside it: `FILE` and `FILE.minisig`.
//!
//! **Order on disk.** Both are written beside their names and flushed; then the signature gets its name, then the receipt. So a receipt
//! that has its name has its signature, and a run that was killed in between writes the same receipt again: what it finds under the
//! names is recognised by its content.

mod error;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use domain::bag::receipt::LARGEST_RECEIPT_BYTES;
use domain::model::{Sha256, Sha256Hasher};

pub use error::ReceiptFileError;

use crate::publish::{Replace, other_than_file};
use crate::signature::SigningKey;
use crate::spool::{
    is_unsupported, parent_of, remove_if_there, rename_without_replacing, sync_folder,
};

/// The ending of a signature's name.
const SIGNATURE: &str = ".minisig";
/// The ending of a file that does not have its name yet.
const UNFINISHED: &str = ".uforge-receipt";
const BUFFER_BYTES: usize = 256 * 1024;

/// Where the signature of a file is looked for.
pub fn signature_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(SIGNATURE);
    PathBuf::from(name)
}

/// The size of a file and its SHA-256. The file is read once.
pub fn sum_of_file(path: &Path) -> io::Result<(u64, Sha256)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
    let (mut bytes, mut sum) = (0, Sha256Hasher::default());
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, sum.finish())),
            Ok(read) => {
                sum.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The bytes of a receipt or of a signature: at most one byte more than a receipt has, whatever the file's size.
pub fn read_receipt_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST_RECEIPT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A receipt that is to be written.
#[derive(Clone, Debug)]
pub struct ReceiptFile {
    path: PathBuf,
    replace: Replace,
}

impl ReceiptFile {
    /// The receipt under this name.
    pub fn new(path: &Path, replace: Replace) -> Self {
        Self {
            path: path.to_owned(),
            replace,
        }
    }

    /// Where it is to be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its signature is to be.
    pub fn signature_path(&self) -> PathBuf {
        signature_beside(&self.path)
    }

    fn names(&self) -> [PathBuf; 2] {
        [self.path.clone(), self.signature_path()]
    }

    /// Refuses names that no receipt can have, and a folder that nothing can be written into.
    pub fn check_place(&self) -> Result<(), ReceiptFileError> {
        let folder = parent_of(&self.path);
        let has_name = self.path.file_name().is_some_and(|name| name != "-");
        if !has_name || !folder.is_dir() {
            return Err(ReceiptFileError::NoPlace {
                path: self.path.clone(),
            });
        }
        for path in self.names() {
            check_kind(&path)?;
        }
        let sample = unfinished(&self.path);
        create(&sample).map_err(|source| ReceiptFileError::NotWritable {
            path: self.path.clone(),
            source,
        })?;
        remove_if_there(&sample).map_err(ReceiptFileError::io("remove", &sample))
    }

    /// Refuses names that other files have, unless these may be replaced.
    pub fn check_free(&self) -> Result<(), ReceiptFileError> {
        if self.replace == Replace::Force {
            return Ok(());
        }
        let mut names = self.names().into_iter();
        match names.find(|path| path.symlink_metadata().is_ok()) {
            Some(path) => Err(ReceiptFileError::Exists { path }),
            None => Ok(()),
        }
    }

    /// Writes the receipt, signed where there is a key. After this returns, it is on disk under its name, and so is its signature. What a
    /// run before this one had written of the same receipt is no obstacle.
    pub fn write(
        &self,
        receipt: &[u8],
        signed: Option<(&SigningKey, &str)>,
    ) -> Result<(), ReceiptFileError> {
        check_kind(&self.path)?;
        let is_there = fs::read(&self.path).is_ok_and(|found| found == receipt);
        if !is_there && self.replace == Replace::Refuse && self.path.symlink_metadata().is_ok() {
            return Err(ReceiptFileError::Exists {
                path: self.path.clone(),
            });
        }
        self.write_signature(receipt, signed)?;
        if !is_there {
            put(&self.path, receipt, self.replace)?;
        }
        let folder = parent_of(&self.path);
        sync_folder(folder).map_err(ReceiptFileError::io("flush", folder))
    }

    fn write_signature(
        &self,
        receipt: &[u8],
        signed: Option<(&SigningKey, &str)>,
    ) -> Result<(), ReceiptFileError> {
        let path = self.signature_path();
        check_kind(&path)?;
        let is_taken = path.symlink_metadata().is_ok();
        let Some((key, comment)) = signed else {
            // One of another receipt would make this one look forged.
            return match (is_taken, self.replace) {
                (false, _) => Ok(()),
                (true, Replace::Refuse) => Err(ReceiptFileError::Exists { path }),
                (true, Replace::Force) => {
                    remove_if_there(&path).map_err(ReceiptFileError::io("remove", &path))
                }
            };
        };
        if is_taken && is_signed(&path, receipt, key) {
            return Ok(());
        }
        if is_taken && self.replace == Replace::Refuse {
            return Err(ReceiptFileError::Exists { path });
        }
        let signature = key
            .sign(receipt, comment)
            .map_err(ReceiptFileError::io("sign", &self.path))?;
        put(&path, signature.as_bytes(), self.replace)
    }
}

/// Only regular files are ever replaced.
fn check_kind(path: &Path) -> Result<(), ReceiptFileError> {
    let found = path.symlink_metadata().ok();
    match found.and_then(|found| other_than_file(found.file_type())) {
        Some(kind) => Err(ReceiptFileError::NotAFile {
            path: path.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

/// Writes a file beside its name, flushes it, and gives it the name.
fn put(path: &Path, bytes: &[u8], replace: Replace) -> Result<(), ReceiptFileError> {
    let beside = unfinished(path);
    let written = create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let named = written
        .map_err(ReceiptFileError::io("write", path))
        .and_then(|()| {
            match replace {
                Replace::Force => fs::rename(&beside, path),
                Replace::Refuse => name(&beside, path),
            }
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => ReceiptFileError::Exists {
                    path: path.to_owned(),
                },
                _ => ReceiptFileError::io("write", path)(source),
            })
        });
    if named.is_err() {
        let _ = remove_if_there(&beside);
    }
    named
}

/// Whether this is a signature of the receipt by this key.
fn is_signed(path: &Path, receipt: &[u8], key: &SigningKey) -> bool {
    let text = read_receipt_file(path).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| key.public().check(receipt, &text).is_ok())
}

/// `.NAME.uforge-receipt` beside a file: a killed run leaves no more than this, and the next one writes it anew.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(UNFINISHED);
    path.with_file_name(name)
}

/// A new file that only its owner can read; what a killed run left under its name is gone.
fn create(path: &Path) -> io::Result<File> {
    remove_if_there(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a file a name that nothing has.
fn name(from: &Path, to: &Path) -> io::Result<()> {
    match rename_without_replacing(from, to) {
        Err(error) if is_unsupported(&error) => match fs::hard_link(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Where there are no links either, nobody but this program is believed to write here in this moment.
            Err(_) => fs::rename(from, to),
            Ok(()) => fs::remove_file(from),
        },
        renamed => renamed,
    }
}
