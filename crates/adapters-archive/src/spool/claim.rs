//! One process at a time on a file: a lock of the system, or, where the file system has none, a file that names its process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use thiserror::Error;

use super::files::remove_if_there;
use super::flush::is_unsupported;
use super::pause::pause;

/// How long a process that has just made its claim gets to write its name into it.
const TIME_TO_WRITE: Duration = Duration::from_millis(200);
/// Made by whoever removes the claim of a dead process.
const TAKING: &str = "lock-taking";
/// More than this is not read of a claim.
const LONGEST_BYTES: u64 = 1024;

/// A file that no other process writes to meanwhile.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
    claim: Option<Claim>,
}

/// Why a file could not be locked.
#[derive(Debug, Error)]
pub enum LockRefused {
    /// The system says so.
    #[error("another process has it")]
    Held,
    /// A claim says so, and its process lives, or is on another host, where it cannot be asked.
    #[error("{holder} has it, as `{}` says", claim.display())]
    Claimed {
        /// The file.
        claim: PathBuf,
        /// The process.
        holder: String,
    },
    /// It cannot be found out.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LockedFile {
    /// Takes the file, without waiting for it. `claim` is written where the file system cannot lock (NFS without its lock service,
    /// SMB, FUSE).
    pub fn try_lock(file: File, claim: &Path) -> Result<Self, LockRefused> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file, claim: None }),
            Err(TryLockError::WouldBlock) => Err(LockRefused::Held),
            Err(TryLockError::Error(error)) if cannot_lock(&error) => {
                let claim = Some(Claim::make(claim)?);
                Ok(Self { file, claim })
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Whether the system has it locked, not only a file that says so.
    pub fn is_locked_by_system(&self) -> bool {
        self.claim.is_none()
    }
}

impl From<File> for LockedFile {
    fn from(file: File) -> Self {
        Self { file, claim: None }
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

fn cannot_lock(error: &io::Error) -> bool {
    is_unsupported(error) || error.raw_os_error() == Some(Errno::NOLCK.raw_os_error())
}

/// A file that says which process works here. Removed when it is dropped; what a killed process leaves is recognised by its process
/// number and the time at which that process began.
#[derive(Debug)]
struct Claim {
    path: PathBuf,
}

impl Claim {
    fn make(path: &Path) -> Result<Self, LockRefused> {
        // The claim of a dead process is removed once. If there is one again, another process was quicker.
        for _ in 0..2 {
            match create(path) {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_path_buf(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
            let found = read(path)?;
            if let Some(holder) = living_holder(&found) {
                return Err(LockRefused::Claimed {
                    claim: path.to_path_buf(),
                    holder,
                });
            }
            take_away(path, &found)?;
        }
        Err(LockRefused::Held)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The folder may have been removed as a whole; another run may work here by then.
        if read(&self.path).is_ok_and(|found| found == own_name()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(own_name().as_bytes())
}

fn read(path: &Path) -> io::Result<String> {
    let read = || {
        let mut text = String::new();
        if path.symlink_metadata()?.is_file() {
            File::open(path)?
                .take(LONGEST_BYTES)
                .read_to_string(&mut text)?;
        }
        Ok::<_, io::Error>(text)
    };
    match read() {
        Ok(text) if text.is_empty() => {
            pause(TIME_TO_WRITE);
            read()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text,
    }
}

/// Removes the claim of a dead process, if it is still there. Several processes may find it at once.
///
/// A name cannot be compared and removed in one step: one process could remove the claim that another has made in the meantime. So a
/// claim is removed only by whoever has made `lock-taking` before, and looked at it again since. A dead claim makes way for a living
/// one only by such a removal, so what that process has looked at is what it removes.
fn take_away(path: &Path, found: &str) -> Result<(), LockRefused> {
    let taking = path.with_file_name(TAKING);
    let _taking = Taking::begin(&taking)?;
    if read(path)? == found {
        remove_if_there(path)?;
    }
    Ok(())
}

/// The right to remove the claim of a dead process.
struct Taking<'a>(&'a Path);

impl<'a> Taking<'a> {
    /// A process that was killed in this moment leaves the file. Nobody else may remove it, for the same reason: a person does.
    fn begin(path: &'a Path) -> Result<Self, LockRefused> {
        match create(path) {
            Ok(()) => Ok(Self(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = read(path)?;
                if found.is_empty() || living_holder(&found).is_some() {
                    return Err(LockRefused::Held);
                }
                Err(LockRefused::Claimed {
                    claim: path.to_path_buf(),
                    holder: "a process that has ended".to_owned(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        // Where that fails, the next process says which file it is.
        let _ = fs::remove_file(self.0);
    }
}

/// `PID BEGAN HOST`.
fn own_name() -> String {
    let pid = std::process::id();
    format!("{pid} {} {}\n", began(pid).unwrap_or_default(), host())
}

fn host() -> String {
    #[cfg(unix)]
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").unwrap_or_default();
    host
}

/// Who made a claim, unless that process is known to have ended.
fn living_holder(found: &str) -> Option<String> {
    let mut words = found.trim_end().splitn(3, ' ');
    let pid: u32 = words.next()?.parse().ok()?;
    let (began_then, at) = (words.next()?, words.next()?);
    let holder = format!("process {pid} on `{}`", at.escape_debug());
    if at != host() {
        return Some(holder);
    }
    let lives = began(pid).is_some_and(|now| now == began_then);
    lives.then_some(holder)
}

/// When a process of this machine began, as the system writes it; `None` where there is no such process.
#[cfg(target_os = "linux")]
fn began(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

/// Other systems only say whether there is a process of this number.
#[cfg(not(target_os = "linux"))]
fn began(pid: u32) -> Option<String> {
    #[cfg(unix)]
    {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
        match rustix::process::test_kill_process(pid) {
            Err(Errno::SRCH) => None,
            _ => Some("-".to_owned()),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        Some("-".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_keeps_others_away_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let claim = Claim::make(&path).unwrap();
        let refused = Claim::make(&path).unwrap_err();
        assert!(matches!(refused, LockRefused::Claimed { .. }), "{refused}");
        drop(claim);
        assert!(!path.exists());
        drop(Claim::make(&path).unwrap());
    }

    #[test]
    fn a_claim_of_a_process_that_was_killed_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let own = own_name();
        let (_, rest) = own.split_once(' ').unwrap();
        // Of a number that no process has; of a number that another process has by now; cut off by the kill.
        for dead in [
            format!("4194999 {rest}"),
            format!("1 0 {}\n", host()),
            String::new(),
        ] {
            fs::write(&path, dead).unwrap();
            drop(Claim::make(&path).unwrap());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    /// What one took over, another that had seen the dead claim too renamed away.
    #[test]
    fn of_many_that_find_a_dead_claim_one_takes_over() {
        let own = own_name();
        let (_, rest) = own.split_once(' ').unwrap();
        let dead = format!("4194999 {rest}");
        for _ in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("lock");
            fs::write(&path, &dead).unwrap();
            let together = std::sync::Barrier::new(8);
            let claims: Vec<_> = std::thread::scope(|scope| {
                let make = || {
                    together.wait();
                    Claim::make(&path)
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
                let claims = threads.into_iter().map(|thread| thread.join().unwrap());
                claims.filter_map(Result::ok).collect()
            });
            assert_eq!(claims.len(), 1);
            assert_eq!(fs::read_to_string(&path).unwrap(), own);
            drop(claims);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_a_kill_left_while_a_claim_was_removed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let own = own_name();
        let (_, rest) = own.split_once(' ').unwrap();
        let dead = format!("4194999 {rest}");
        fs::write(&path, &dead).unwrap();
        fs::write(folder.path().join(TAKING), &dead).unwrap();
        let refused = Claim::make(&path).unwrap_err().to_string();
        assert!(refused.contains("lock-taking"), "{refused}");
    }

    #[test]
    fn a_process_of_another_machine_is_taken_for_alive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "12 345 elsewhere\n").unwrap();
        let refused = Claim::make(&path).unwrap_err().to_string();
        assert!(refused.contains("process 12 on `elsewhere`"), "{refused}");
        assert!(path.exists());
    }
}
