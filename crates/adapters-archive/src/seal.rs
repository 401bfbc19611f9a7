//! Small secrets sealed with age to an identity in a file.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::{Decryptor, Encryptor, x25519};
use domain::text::decode;
use thiserror::Error;
use zeroize::Zeroizing;

/// A file of one identity has some 200 bytes.
const LARGEST_KEY_FILE_BYTES: u64 = 64 * 1024;
/// A sealed secret is no larger.
const LARGEST_SECRET_BYTES: u64 = 64 * 1024;

/// Why a file of an age identity cannot be used. What is in it is never repeated.
#[derive(Debug, Error)]
pub enum SealKeyError {
    /// Not there, or not for us to read.
    #[error("could not read the key file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("others can read the key file `{}`: its mode is {mode:o}", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not one age identity.
    #[error("the key file `{}` holds {found} age identities (`AGE-SECRET-KEY-1…`), not one", path.display())]
    NotOneIdentity {
        /// The file.
        path: PathBuf,
        /// How many it holds.
        found: usize,
    },
}

impl SealKeyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "make one with `age-keygen -o KEYFILE`, readable by the service's user only (`chmod 600 KEYFILE`), and keep a copy of it",
            ),
            Self::Unreadable { .. } => None,
            Self::OpenToOthers { .. } => Some("close it to others with `chmod 600`"),
            Self::NotOneIdentity { .. } => Some("make one with `age-keygen -o KEYFILE`"),
        }
    }
}

/// The cost of a seal to a token, as a power of two: nobody guesses 256 random bits, however fast.
const TOKEN_WORK_FACTOR: u8 = 2;

fn passphrase_of(token: &[u8; 32]) -> age::secrecy::SecretString {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in token {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

/// Seals a secret to 256 random bits that somebody else keeps.
pub fn seal_to_token(token: &[u8; 32], secret: &[u8]) -> io::Result<Vec<u8>> {
    let mut recipient = age::scrypt::Recipient::new(passphrase_of(token));
    recipient.set_work_factor(TOKEN_WORK_FACTOR);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(io::Error::other)?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(secret)?;
    writer.finish()?;
    Ok(sealed)
}

/// Opens what was sealed to these bits.
pub fn open_with_token(token: &[u8; 32], sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut identity = age::scrypt::Identity::new(passphrase_of(token));
    identity.set_max_work_factor(TOKEN_WORK_FACTOR);
    let decryptor = Decryptor::new(sealed).map_err(io::Error::other)?;
    let plain = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(io::Error::other)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(4096));
    plain.take(LARGEST_SECRET_BYTES).read_to_end(&mut secret)?;
    Ok(secret)
}

/// An age identity that small secrets are sealed to.
#[derive(Clone)]
pub struct SealKey(x25519::Identity);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Reads the file of an age identity, which nobody but its owner may be able to read.
    pub fn read(path: &Path) -> Result<Self, SealKeyError> {
        let unreadable = |source| SealKeyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        check_mode(&file, path)?;
        Self::of(file, path)
    }

    /// Reads the file of an age identity which somebody else has closed to others, by other means than its mode.
    pub fn read_guarded(path: &Path) -> Result<Self, SealKeyError> {
        let file = File::open(path).map_err(|source| SealKeyError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::of(file, path)
    }

    fn of(file: File, path: &Path) -> Result<Self, SealKeyError> {
        let unreadable = |source| SealKeyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        let mut limited = file.take(LARGEST_KEY_FILE_BYTES);
        limited.read_to_end(&mut bytes).map_err(unreadable)?;
        let text = decode(&bytes).map_err(|_| not_one(path, 0))?;
        let text = Zeroizing::new(text.into_owned());
        let lines = text
            .lines()
            .map(|line| line.trim_start_matches('\u{feff}').trim());
        let found: Vec<_> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(x25519::Identity::from_str)
            .collect();
        let number = found.len();
        match <[_; 1]>::try_from(found) {
            Ok([Ok(identity)]) => Ok(Self(identity)),
            Ok([Err(_)]) => Err(not_one(path, 0)),
            Err(_) => Err(not_one(path, number)),
        }
    }

    /// Seals a secret.
    pub fn seal(&self, secret: &[u8]) -> io::Result<Vec<u8>> {
        let recipient = self.0.to_public();
        let encryptor =
            Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
                .map_err(io::Error::other)?;
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed)?;
        writer.write_all(secret)?;
        writer.finish()?;
        Ok(sealed)
    }

    /// Opens a seal of this key.
    pub fn open(&self, sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let decryptor = Decryptor::new(sealed).map_err(io::Error::other)?;
        let plain = decryptor
            .decrypt(std::iter::once(&self.0 as &dyn age::Identity))
            .map_err(io::Error::other)?;
        let mut secret = Zeroizing::new(Vec::with_capacity(4096));
        plain.take(LARGEST_SECRET_BYTES).read_to_end(&mut secret)?;
        Ok(secret)
    }
}

fn not_one(path: &Path, found: usize) -> SealKeyError {
    let path = path.to_owned();
    SealKeyError::NotOneIdentity { path, found }
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), SealKeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = file.metadata().map_err(|source| SealKeyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mode = found.permissions().mode() & 0o7777;
    // No bit of the group's and of others' is set.
    if mode.trailing_zeros() >= 6 {
        Ok(())
    } else {
        let path = path.to_owned();
        Err(SealKeyError::OpenToOthers { path, mode })
    }
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<(), SealKeyError> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn key_file(folder: &Path, text: &str, mode: u32) -> PathBuf {
        let path = folder.join("key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn identity() -> String {
        let identity = x25519::Identity::generate().to_string();
        format!("# created\n{}\n", identity.expose_secret())
    }

    #[test]
    fn only_the_same_key_opens_what_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealKey::read(&key_file(folder.path(), &identity(), 0o600)).unwrap();
        let other = SealKey::read(&key_file(folder.path(), &identity(), 0o400)).unwrap();
        let sealed = key.seal(b"hunter2").unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(*key.open(&sealed).unwrap(), b"hunter2");
        assert!(other.open(&sealed).is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(key.open(&changed).is_err());
        assert!(key.open(b"").is_err());
    }

    #[test]
    fn a_key_file_is_one_identity_for_its_owner_s_eyes_only() {
        let folder = tempfile::tempdir().unwrap();
        let open = SealKey::read(&key_file(folder.path(), &identity(), 0o640));
        assert!(matches!(
            open,
            Err(SealKeyError::OpenToOthers { mode: 0o640, .. })
        ));
        for text in ["", "# nothing\n", "hunter2\n", &identity().repeat(2)] {
            let refused = SealKey::read(&key_file(folder.path(), text, 0o600));
            let Err(error @ SealKeyError::NotOneIdentity { .. }) = refused else {
                panic!("{text}");
            };
            assert!(!format!("{error:?}{error}").contains("hunter2"));
        }
        let missing = SealKey::read(&folder.path().join("none")).err().unwrap();
        assert!(missing.hint().unwrap().contains("age-keygen"));
    }

    #[test]
    fn a_seal_to_a_token_is_opened_with_that_token_only() {
        let sealed = seal_to_token(&[1; 32], b"a password").unwrap();
        assert_eq!(
            &**open_with_token(&[1; 32], &sealed).unwrap(),
            b"a password"
        );
        assert!(open_with_token(&[2; 32], &sealed).is_err());
        assert!(!sealed.windows(8).any(|part| part == b"password"));
    }
}
