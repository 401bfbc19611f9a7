//! The state file of an import: what is recorded of it, so that the same order resumes it. Lines that prove themselves, as a journal's.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::model::{Sha256, UserId};
use domain::ports::{ImportFact, ImportJournal, ImportState, JournalError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::journal::{Lines, Scan, scan};
use crate::spool::trust::{Access, open_own_file};
use crate::spool::{LockRefused, LockedFile, parent_of, remove_if_there, same_file, sync_folder};

/// The version of the form that this program writes and reads.
const VERSION: u32 = 1;

/// Which order a state file belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportHeader {
    /// [`domain::model::ImportOrder::fingerprint`].
    pub fingerprint: Sha256,
    /// Whose account receives.
    pub user: UserId,
    /// On which platform: its base URL.
    pub source: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Header {
        version: u32,
        #[serde(flatten)]
        header: ImportHeader,
    },
    Fact(ImportFact),
}

/// Why a state file cannot be used.
#[derive(Debug, Error)]
pub enum ImportFileError {
    /// It cannot be made there.
    #[error("the state of the import cannot be kept in `{}`", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Another process imports with it.
    #[error("another import is under way with `{}`", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Another order was interrupted there, and has something under way on the platform.
    #[error("`{}` belongs to another import that has not ended: of `{user}` at `{source_url}`, of another bag or with other options", path.display())]
    OtherOrder {
        /// The file.
        path: PathBuf,
        /// Whose account received.
        user: UserId,
        /// On which platform.
        source_url: String,
    },
    /// Something else than a state file, or one that is damaged.
    #[error("`{}` is no state file of an import, or a damaged one (line {line})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first line that cannot be read, from 1.
        line: u64,
    },
    /// Reading or writing failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done: a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

/// The state file of one import, locked as long as anything of the import lives. Clones share it.
#[derive(Clone)]
pub struct ImportFile {
    path: Arc<Path>,
    state: Arc<Mutex<State>>,
}

struct State {
    lines: Lines,
    checkpoint: ImportState,
}

impl std::fmt::Debug for ImportFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl ImportFile {
    /// Opens what an interrupted import of the same order left, or begins anew. The file is its owner's alone. That of another order which
    /// has nothing under way any more is replaced. One that holds anything else is left as it is.
    pub fn open(path: &Path, header: &ImportHeader) -> Result<Self, ImportFileError> {
        let mut file = lock(path)?;
        let found = read(&mut file).map_err(failed("read", path))?;
        let damaged = |line| ImportFileError::Damaged {
            path: path.to_owned(),
            line,
        };
        if let Some(damage) = found.scan.damage {
            return Err(damaged(damage.line));
        }
        let (lines, checkpoint) = match found.header {
            Some((VERSION, found_header)) if found_header == *header => {
                let Scan { lines, end, .. } = found.scan;
                let lines = Lines::after(file, lines, end).map_err(failed("write", path))?;
                (lines, found.checkpoint)
            }
            Some((VERSION, other)) if found.checkpoint.is_under_way() => {
                return Err(ImportFileError::OtherOrder {
                    path: path.to_owned(),
                    user: other.user,
                    source_url: other.source,
                });
            }
            Some((version, _)) if version != VERSION => return Err(damaged(1)),
            None if !is_cut_header(&mut file).map_err(failed("read", path))? => {
                return Err(damaged(1));
            }
            Some(_) | None => {
                let lines = begin(file, header).map_err(failed("write", path))?;
                sync_folder(parent_of(path)).map_err(failed("write", path))?;
                (lines, ImportState::default())
            }
        };
        keep_private(path);
        Ok(Self::of(path, lines, checkpoint))
    }

    fn of(path: &Path, lines: Lines, checkpoint: ImportState) -> Self {
        Self {
            path: path.into(),
            state: Arc::new(Mutex::new(State { lines, checkpoint })),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file: nothing is left to do.
    pub fn remove(self) -> Result<(), ImportFileError> {
        let state = self.lock();
        let removed = remove_if_there(&self.path).and_then(|()| sync_folder(parent_of(&self.path)));
        drop(state);
        removed.map_err(|source| ImportFileError::Io {
            action: "remove",
            path: self.path.to_path_buf(),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_now(&self, fact: ImportFact) -> Result<(), JournalError> {
        let mut state = self.lock();
        state
            .lines
            .append(&[Line::Fact(fact.clone())])
            .map_err(|source| JournalError::Io {
                path: self.path.to_path_buf(),
                source,
            })?;
        state.checkpoint.apply(fact);
        Ok(())
    }
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> ImportFileError + 'a {
    move |source| ImportFileError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// What a file holds.
struct Found {
    header: Option<(u32, ImportHeader)>,
    checkpoint: ImportState,
    scan: Scan,
}

fn read(file: &mut File) -> io::Result<Found> {
    let (mut header, mut checkpoint) = (None, ImportState::default());
    let scan = scan(file, |line: Line| match (line, &header) {
        (
            Line::Header {
                version,
                header: found,
            },
            None,
        ) => {
            header = Some((version, found));
            ControlFlow::Continue(())
        }
        (Line::Fact(fact), Some(_)) => {
            checkpoint.apply(fact);
            ControlFlow::Continue(())
        }
        (Line::Header { .. }, Some(_)) | (Line::Fact(_), None) => ControlFlow::Break(()),
    })?;
    Ok(Found {
        header,
        checkpoint,
        scan,
    })
}

/// A first line that was cut short by a kill is no longer than this.
const LONGEST_HEADER_BYTES: u64 = 64 * 1024;
/// The digits of the sum that a line begins with.
const SUM_DIGITS: usize = 8;

/// Whether a file without a header is empty, or holds the beginning of one: anything else is somebody's, and is not written over.
fn is_cut_header(file: &mut File) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_HEADER_BYTES).read_to_end(&mut bytes)?;
    let begins = bytes
        .iter()
        .enumerate()
        .take(SUM_DIGITS + 1)
        .all(|(at, byte)| {
            if at < SUM_DIGITS {
                byte.is_ascii_hexdigit()
            } else {
                *byte == b' '
            }
        });
    let is_short = (bytes.len() as u64) < LONGEST_HEADER_BYTES;
    Ok(begins && is_short && !bytes.contains(&b'\n'))
}

fn begin(file: LockedFile, header: &ImportHeader) -> io::Result<Lines> {
    let mut lines = Lines::new(file)?;
    lines.append(&[Line::Header {
        version: VERSION,
        header: header.clone(),
    }])?;
    Ok(lines)
}

/// One that stood there may have had other access rights. A file system without any cannot keep these either.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Opens the file, makes it where it is missing, and locks it.
fn lock(path: &Path) -> Result<LockedFile, ImportFileError> {
    let locked = || ImportFileError::Locked {
        path: path.to_owned(),
    };
    // Between opening and locking, the import before may have removed it: then once more.
    for _ in 0..3 {
        let file = open(path).map_err(|source| ImportFileError::NotWritable {
            path: path.to_owned(),
            source,
        })?;
        let file = match LockedFile::try_lock(file, &claim_of(path)) {
            Ok(file) => file,
            Err(LockRefused::Io(source)) => {
                return Err(ImportFileError::Io {
                    action: "lock",
                    path: path.to_owned(),
                    source,
                });
            }
            Err(LockRefused::Held | LockRefused::Claimed { .. }) => return Err(locked()),
        };
        if same_file(file.metadata(), fs::metadata(path)) {
            return Ok(file);
        }
    }
    Err(locked())
}

/// Where a file system cannot lock.
fn claim_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".claim");
    path.with_file_name(name)
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    let folder = File::open(parent_of(path))?;
    open_own_file(&folder, path, Access::Create)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

#[async_trait]
impl ImportJournal for ImportFile {
    fn checkpoint(&self) -> ImportState {
        self.lock().checkpoint.clone()
    }

    async fn record(&self, fact: ImportFact) -> Result<(), JournalError> {
        let (file, path) = (self.clone(), self.path.to_path_buf());
        tokio::task::spawn_blocking(move || file.record_now(fact))
            .await
            .unwrap_or_else(|stopped| {
                Err(JournalError::Io {
                    path,
                    source: io::Error::other(stopped),
                })
            })
    }
}
