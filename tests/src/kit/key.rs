//! A key pair for encrypted bags.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;

use super::Program;

/// A key pair whose private half lies in a program's home.
pub struct Key {
    /// Who may read.
    pub recipient: String,
    /// The file that holds the private half.
    pub file: PathBuf,
    identity: Identity,
}

impl Key {
    /// A new one.
    pub fn new(program: &Program) -> Self {
        let identity = Identity::generate();
        let text = format!("{}\n", identity.to_string().expose_secret());
        Self {
            recipient: identity.to_public().to_string(),
            file: program.private_file("identity", &text),
            identity,
        }
    }

    /// The bytes of an encrypted file.
    ///
    /// # Panics
    ///
    /// Where it was not made for this key, or is not whole.
    pub fn open(&self, path: &Path) -> Vec<u8> {
        let encrypted = BufReader::new(File::open(path).expect("a file"));
        let decryptor = age::Decryptor::new_buffered(encrypted).expect("an age file");
        let identity: &dyn age::Identity = &self.identity;
        let mut plain = decryptor
            .decrypt(std::iter::once(identity))
            .expect("the recipient");
        let mut bytes = Vec::new();
        plain.read_to_end(&mut bytes).expect("a whole file");
        bytes
    }
}
