//! Secret keys, and signing with them.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::text::decode;
use minisign::{PublicKey, SecretKey, SecretKeyBox};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

use super::public::VerifyingKey;
use super::{key_id, key_line, read_key_file};
use crate::memory::{Short, check_scrypt};

/// Where the fields of a secret key are that say what its passphrase costs, and how long a key is.
const DERIVATION: std::ops::Range<usize> = 2..4;
const OPERATIONS: std::ops::Range<usize> = 38..46;
const MEMORY: std::ops::Range<usize> = 46..54;
const CHECKSUM: std::ops::Range<usize> = 126..158;
const KEY_BYTES: usize = 158;
/// What `minisign` asks for at most: 2^25 operations and 1 GiB.
const MOST_OPERATIONS: u64 = 1 << 25;
const MOST_MEMORY_BYTES: u64 = 1 << 30;
const NOT_ENCRYPTED: [u8; 2] = [0, 0];
const SCRYPT: [u8; 2] = *b"Sc";
/// What stands above a signature, for people; nobody checks it.
const COMMENT: &str = "signature from uforge-export secret key";

/// Why a secret key cannot be used. What is in its file is never repeated.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// Not there, or not for us to read.
    #[error("could not read the secret key `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no secret key of minisign", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and there is no passphrase.
    #[error("the secret key `{}` is encrypted, and its passphrase is missing", path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open the secret key `{}`", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// Its passphrase costs more than this process has.
    #[error("the secret key `{}` cannot be opened here: {source}", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// What is needed, and what there is.
        source: Short,
    },
}

impl SigningKeyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("`minisign -G -s KEY -p KEY.pub` makes a key pair")
            }
            Self::NotAKey { .. } => {
                Some("it has to be what `minisign -G` writes with `-s`, not the public key")
            }
            Self::NoPassphrase { .. } | Self::WrongPassphrase { .. } => {
                Some("give its passphrase with `--sign-passphrase-file FILE`")
            }
            Self::Unreadable { .. } | Self::Memory { .. } => None,
        }
    }
}

/// The file of a secret key, read and not opened yet.
pub struct SecretKeyFile {
    path: PathBuf,
    line: Zeroizing<String>,
    fields: Zeroizing<Vec<u8>>,
}

impl SecretKeyFile {
    /// Reads it.
    pub fn read(path: &Path) -> Result<Self, SigningKeyError> {
        let bytes = read_key_file(path).map_err(|source| SigningKeyError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let not_a_key = || SigningKeyError::NotAKey {
            path: path.to_owned(),
        };
        let text = decode(&bytes).map_err(|_| not_a_key())?;
        let text = Zeroizing::new(text.into_owned());
        let line = Zeroizing::new(key_line(&text).ok_or_else(not_a_key)?.to_owned());
        let fields = Zeroizing::new(STANDARD.decode(line.as_str()).map_err(|_| not_a_key())?);
        let file = Self {
            path: path.to_owned(),
            line,
            fields,
        };
        let is_known = file.fields.len() == KEY_BYTES
            && file.fields.starts_with(b"Ed")
            && file.fields.get(4..6) == Some(b"B2")
            && [NOT_ENCRYPTED, SCRYPT].contains(&file.derivation());
        if is_known { Ok(file) } else { Err(not_a_key()) }
    }

    fn derivation(&self) -> [u8; 2] {
        let field = self.fields.get(DERIVATION);
        field
            .and_then(|field| field.try_into().ok())
            .unwrap_or_default()
    }

    fn number(&self, field: std::ops::Range<usize>) -> u64 {
        let field = self.fields.get(field);
        field
            .and_then(|field| field.try_into().ok())
            .map_or(u64::MAX, u64::from_le_bytes)
    }

    /// Whether it has to be opened with a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.derivation() != NOT_ENCRYPTED
    }

    fn has_checksum(&self) -> bool {
        let checksum = self.fields.get(CHECKSUM).unwrap_or_default();
        checksum.iter().any(|byte| *byte != 0)
    }

    /// Opens it. A passphrase costs memory (mostly 1 GiB) and a second or two; one that is not needed is not looked at.
    pub fn open(&self, passphrase: Option<&SecretString>) -> Result<SigningKey, SigningKeyError> {
        let path = || self.path.clone();
        // The library wants a comment above the key.
        let boxed = SecretKeyBox::from(format!("untrusted comment: key\n{}\n", *self.line));
        if !self.is_encrypted() {
            // `minisign -G -W` writes no checksum, and the library misses it.
            let secret = if self.has_checksum() {
                boxed.into_unencrypted_secret_key()
            } else {
                SecretKey::from_bytes(&self.fields)
            };
            let secret = secret.map_err(|_| SigningKeyError::NotAKey { path: path() })?;
            return SigningKey::of(secret, &self.path);
        }
        let Some(passphrase) = passphrase else {
            return Err(SigningKeyError::NoPassphrase { path: path() });
        };
        self.check_cost()?;
        let opened = boxed.into_secret_key(Some(passphrase.expose_secret().to_owned()));
        let opened = opened.map_err(|_| SigningKeyError::WrongPassphrase { path: path() })?;
        SigningKey::of(opened, &self.path)
    }

    /// A damaged file must not keep the program busy for hours.
    fn check_cost(&self) -> Result<(), SigningKeyError> {
        let path = || self.path.clone();
        let (operations, memory) = (self.number(OPERATIONS), self.number(MEMORY));
        if operations > MOST_OPERATIONS || memory > MOST_MEMORY_BYTES {
            return Err(SigningKeyError::NotAKey { path: path() });
        }
        let log_n = (memory / 1024).max(1).ilog2();
        check_scrypt(u8::try_from(log_n).unwrap_or(u8::MAX)).map_err(|source| {
            SigningKeyError::Memory {
                path: path(),
                source,
            }
        })
    }
}

/// A secret key that is open.
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretKey,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

impl SigningKey {
    fn of(secret: SecretKey, path: &Path) -> Result<Self, SigningKeyError> {
        let not_a_key = |_| SigningKeyError::NotAKey {
            path: path.to_owned(),
        };
        let public = PublicKey::from_secret_key(&secret).map_err(not_a_key)?;
        let key = Self { secret, public };
        // A key whose halves do not belong together would sign what nobody can check.
        let sample = key.sign(b"", "").map_err(|_| SigningKeyError::NotAKey {
            path: path.to_owned(),
        })?;
        match key.public().check(b"", &sample) {
            Ok(_) => Ok(key),
            Err(_) => Err(SigningKeyError::NotAKey {
                path: path.to_owned(),
            }),
        }
    }

    /// Its number, as `minisign` writes it.
    pub fn id(&self) -> String {
        key_id(self.secret.keynum())
    }

    /// The key that checks its signatures.
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey::of(self.public.clone())
    }

    /// Signs a document. The trusted comment is signed with it: one line of printable text; other characters are escaped.
    ///
    /// Fails only where the system gives no random numbers.
    pub fn sign(&self, document: &[u8], trusted_comment: &str) -> io::Result<String> {
        let comment: String = trusted_comment
            .chars()
            .flat_map(|letter| match letter {
                '\t' | ' '..='~' => vec![letter],
                other => other.escape_default().collect(),
            })
            .collect();
        let signature = minisign::sign(
            Some(&self.public),
            &self.secret,
            document,
            Some(comment.trim()),
            Some(COMMENT),
        );
        Ok(signature.map_err(io::Error::other)?.into_string())
    }
}
