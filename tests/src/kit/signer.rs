//! A key pair that signs receipts, in files as `minisign` writes them.

use std::fmt::Write as _;
use std::path::PathBuf;

use minisign::KeyPair;

use super::Program;

/// A key pair in a program's home.
pub struct Signer {
    /// The file of the secret key.
    pub secret: PathBuf,
    /// The file of the public key.
    pub public: PathBuf,
    /// The key's number, as messages name it.
    pub id: String,
}

impl Signer {
    /// A new pair whose files begin with this name; with a passphrase, its secret key is encrypted.
    ///
    /// # Panics
    ///
    /// Where the system gives no random numbers.
    pub fn new(program: &Program, name: &str, passphrase: Option<&str>) -> Self {
        let made = match passphrase {
            None => KeyPair::generate_unencrypted_keypair(),
            Some(passphrase) => KeyPair::generate_encrypted_keypair(Some(passphrase.to_owned())),
        };
        let made = made.expect("a key pair");
        let secret = made.sk.to_box(None).expect("a key").into_string();
        let public = made.pk.to_box().expect("a key").into_string();
        let mut id = String::new();
        for byte in made.pk.keynum().iter().rev() {
            let _ = write!(id, "{byte:02X}");
        }
        Self {
            secret: program.private_file(&format!("{name}.key"), &secret),
            public: program.private_file(&format!("{name}.pub"), &public),
            id,
        }
    }
}
