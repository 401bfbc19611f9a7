//! Encryption with age: of the finished bag, to people; of bodies that wait, to a key that only this process knows.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use age::stream::{StreamReader, StreamWriter};
use age::{Decryptor, Encryptor, ssh, x25519};
use domain::text::{NotText, decode};
use secrecy::SecretString;
use thiserror::Error;

use crate::memory::{Short, check_scrypt};

/// Longest file of recipients that is read.
const LONGEST_RECIPIENTS_BYTES: u64 = 1024 * 1024;

/// scrypt's cost for a passphrase, as a power of two: that of age's own tool, 256 MiB. The library's choice follows the speed of
/// this machine, and smaller machines could then not open the bag.
const WORK_FACTOR: u8 = 18;

/// Why a bag cannot be encrypted as asked.
#[derive(Debug, Error)]
pub enum EncryptionError {
    /// Neither an age recipient, an SSH public key, nor a file of them.
    #[error(
        "`{text}` is neither an age recipient (`age1…`), an SSH public key (`ssh-ed25519 …`, `ssh-rsa …`), nor a file of them"
    )]
    NotARecipient {
        /// What was given.
        text: String,
    },
    /// A line of a recipients file is none.
    #[error("line {line} of `{}` is no age recipient and no SSH public key", path.display())]
    NotARecipientLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A recipients file that names nobody.
    #[error("`{}` names no recipient", path.display())]
    NoRecipients {
        /// The file.
        path: PathBuf,
    },
    /// A recipients file that cannot be read.
    #[error("could not read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A recipients file that is no text.
    #[error("`{}` is {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        problem: NotText,
    },
    /// This machine has too little memory for a passphrase.
    #[error("a passphrase cannot be used here: {0}")]
    Memory(#[source] Short),
    /// Recipients that cannot go together.
    #[error("the bag cannot be encrypted to these recipients")]
    Recipients(#[source] age::EncryptError),
}

/// Somebody who may read an encrypted bag.
#[derive(Clone, Debug)]
pub struct Recipient(Kind);

#[derive(Clone, Debug)]
enum Kind {
    X25519(x25519::Recipient),
    Ssh(ssh::Recipient),
}

impl Recipient {
    /// Reads an age X25519 recipient (`age1…`) or an SSH public key.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let native = x25519::Recipient::from_str(text).map(Kind::X25519);
        let kind = native.or_else(|_| ssh::Recipient::from_str(text).map(Kind::Ssh));
        kind.ok().map(Self)
    }

    /// Reads what `--encrypt-to` was given: a recipient, or the path of a file with one on each line (`#` begins a comment).
    pub fn parse_or_read(text: &str) -> Result<Vec<Self>, EncryptionError> {
        if let Some(recipient) = Self::parse(text) {
            return Ok(vec![recipient]);
        }
        let path = Path::new(text);
        // An SSH key that is mistyped is no path either.
        if !path.is_file() {
            return Err(EncryptionError::NotARecipient {
                text: text.to_owned(),
            });
        }
        Self::read_file(path)
    }

    fn read_file(path: &Path) -> Result<Vec<Self>, EncryptionError> {
        let mut bytes = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(LONGEST_RECIPIENTS_BYTES).read_to_end(&mut bytes))
            .map_err(|source| EncryptionError::Unreadable {
                path: path.to_path_buf(),
                source,
            })?;
        let text = decode(&bytes).map_err(|problem| EncryptionError::NotText {
            path: path.to_path_buf(),
            problem,
        })?;
        let recipients: Vec<Self> = text
            .lines()
            // Files that were joined to one have a mark each.
            .map(|line| line.trim_start_matches('\u{feff}'))
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .map(|(index, line)| {
                Self::parse(line).ok_or(EncryptionError::NotARecipientLine {
                    path: path.to_path_buf(),
                    line: index + 1,
                })
            })
            .collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(EncryptionError::NoRecipients {
                path: path.to_path_buf(),
            });
        }
        Ok(recipients)
    }

    fn as_age(&self) -> &dyn age::Recipient {
        match &self.0 {
            Kind::X25519(recipient) => recipient,
            Kind::Ssh(recipient) => recipient,
        }
    }
}

/// How a bag is encrypted: always as one binary age stream around the whole container.
#[derive(Clone, Debug)]
pub enum Encryption {
    /// For the owners of these keys.
    Recipients(Vec<Recipient>),
    /// For whoever knows this passphrase.
    Passphrase(SecretString),
}

impl Encryption {
    /// For whoever knows this passphrase, where this machine has the memory for it.
    pub fn with_passphrase(passphrase: SecretString) -> Result<Self, EncryptionError> {
        check_scrypt(WORK_FACTOR).map_err(EncryptionError::Memory)?;
        Ok(Self::Passphrase(passphrase))
    }

    pub(crate) fn encryptor(&self) -> Result<Encryptor, EncryptionError> {
        match self {
            Self::Recipients(recipients) => {
                Encryptor::with_recipients(recipients.iter().map(Recipient::as_age))
                    .map_err(EncryptionError::Recipients)
            }
            Self::Passphrase(passphrase) => {
                check_scrypt(WORK_FACTOR).map_err(EncryptionError::Memory)?;
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
                    .map_err(EncryptionError::Recipients)
            }
        }
    }
}

/// A key that lives and dies with this process.
#[derive(Clone)]
pub(crate) struct SpoolKey(Arc<x25519::Identity>);

impl SpoolKey {
    pub(crate) fn generate() -> Self {
        Self(Arc::new(x25519::Identity::generate()))
    }

    pub(crate) fn seal<W: Write>(&self, output: W) -> io::Result<StreamWriter<W>> {
        let recipient = self.0.to_public();
        Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(io::Error::other)?
            .wrap_output(output)
    }

    pub(crate) fn open<R: Read>(&self, input: R) -> io::Result<StreamReader<R>> {
        Decryptor::new(input)
            .and_then(|decryptor| {
                decryptor.decrypt(std::iter::once(&*self.0 as &dyn age::Identity))
            })
            .map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@rust";

    #[test]
    fn a_recipient_is_an_age_key_an_ssh_key_or_a_file_of_them() {
        let key = x25519::Identity::generate().to_public().to_string();
        assert_eq!(Recipient::parse_or_read(&key).unwrap().len(), 1);
        assert_eq!(Recipient::parse_or_read(SSH).unwrap().len(), 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recipients.txt");
        fs::write(&file, format!("# us\n{key}\n\n  {SSH}\n")).unwrap();
        assert_eq!(
            Recipient::parse_or_read(file.to_str().unwrap())
                .unwrap()
                .len(),
            2
        );
        // As Windows writes it, and as two such files joined.
        let marked = format!("\u{feff}# us\r\n\u{feff}{key}\r\n");
        let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [marked.into_bytes(), utf16] {
            fs::write(&file, bytes).unwrap();
            let read = Recipient::parse_or_read(file.to_str().unwrap());
            assert_eq!(read.unwrap().len(), 1);
        }
    }

    #[test]
    fn what_is_no_recipient_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recipients.txt");
        let path = file.to_str().unwrap();
        assert!(matches!(
            Recipient::parse_or_read("age1nonsense"),
            Err(EncryptionError::NotARecipient { .. })
        ));
        fs::write(&file, "# nobody\n").unwrap();
        assert!(matches!(
            Recipient::parse_or_read(path),
            Err(EncryptionError::NoRecipients { .. })
        ));
        fs::write(&file, format!("{SSH}\nnonsense\n")).unwrap();
        assert!(matches!(
            Recipient::parse_or_read(path),
            Err(EncryptionError::NotARecipientLine { line: 2, .. })
        ));
    }

    #[test]
    fn what_a_spool_key_sealed_it_opens_and_no_other() {
        let key = SpoolKey::generate();
        let mut sealed = key.seal(Vec::new()).unwrap();
        sealed.write_all(b"plain text marker").unwrap();
        let sealed = sealed.finish().unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"marker"));
        let mut opened = String::new();
        key.open(&*sealed)
            .unwrap()
            .read_to_string(&mut opened)
            .unwrap();
        assert_eq!(opened, "plain text marker");
        assert!(SpoolKey::generate().open(&*sealed).is_err());
    }
}
