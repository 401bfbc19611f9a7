//! What comes with a bag: receipts, their signatures, and the keys of both.

use std::sync::LazyLock;

use adapters_archive::{SecretKeyFile, SigningKey, VerifyingKey, signed_with};
use domain::bag::receipt::{BagReceipt, LARGEST_RECEIPT_BYTES};
use tempfile::TempDir;
use tests::kit::{Program, Signer};

use crate::check_words;
use crate::material::Material;

const RECEIPT: &str = r#"{
  "format": "uforge-receipt/1",
  "about": "This receipt says which bag was delivered.",
  "bag": {"name": "john.zip", "bytes": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
  "tagmanifest_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "export_json_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "user": "john", "requested_by": "admin",
  "source": {"url": "https://h/api", "uforge_version": null},
  "tool": {"name": "uforge-export", "version": "1"},
  "started": "2026-11-24T01:02:03Z", "finished": "2026-11-24T01:02:03Z", "outcome": "complete",
  "counts": {"sections": 1, "items": 1, "files": 1, "bytes": 3, "failures": 0}
}"#;

/// A receipt is one, and is written as it was read; or it is said why not, without a word of what stands there.
#[test]
fn receipt_reader() {
    let material = Material::new(
        [RECEIPT],
        &[
            "\"format\"",
            "\"uforge-receipt/1\"",
            "\"bag\"",
            "\"name\"",
            "\"counts\"",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "null",
            "-1",
            "1e400",
            "99999999999999999999",
            "\"\\u0000\"",
            "\"\\ud800\"",
            " ",
        ],
    );
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        match BagReceipt::read(&bytes) {
            Ok(read) => assert_eq!(BagReceipt::read(&read.to_json()), Ok(read)),
            Err(error) => check_words(&error.to_string()),
        }
    });
    assert!(BagReceipt::read(&vec![b' '; LARGEST_RECEIPT_BYTES + 1]).is_err());
}

struct Keys {
    folder: TempDir,
    signing: SigningKey,
    secret: String,
    public: String,
    signature: String,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let program = Program::new("none");
    let signer = Signer::new(&program, "fuzz", None);
    let read = |path| std::fs::read_to_string(path).expect("a key");
    let signing = SecretKeyFile::read(&signer.secret)
        .and_then(|file| file.open(None))
        .expect("a key");
    Keys {
        folder: tempfile::tempdir().expect("a folder"),
        secret: read(&signer.secret),
        public: read(&signer.public),
        signature: signing.sign(b"document", "x").expect("signed"),
        signing,
    }
});

const PIECES: &[&str] = &[
    "untrusted comment: ",
    "trusted comment: ",
    "\n",
    "\r\n",
    "RW",
    "RUQ",
    "=",
    "==",
    "A",
    "\t",
    "\u{e9}",
];

/// No signature counts but those that the key made.
#[test]
fn signature_reader() {
    let material = Material::new([KEYS.signature.as_str()], PIECES);
    let public = KEYS.signing.public();
    bolero::check!().for_each(|choices: &[u8]| {
        let bytes = material.make(choices);
        let text = String::from_utf8_lossy(&bytes);
        match public.check(b"document", &text) {
            // The first line is signed by nobody.
            Ok(comment) => {
                assert_eq!(comment, "x");
                let signed = |text: &str| {
                    let lines: Vec<&str> = text.lines().skip(1).collect();
                    lines.join("\n")
                };
                assert_eq!(signed(&text).trim_end(), signed(&KEYS.signature).trim_end());
                assert_eq!(signed_with(&text), Ok(public.id()));
            }
            Err(problem) => check_words(&problem.to_string()),
        }
        assert!(public.check(b"another", &text).is_err());
    });
}

/// A key file is one, or it is said that it is not, without a word of what stands there; and nothing costs hours.
#[test]
fn key_reader() {
    let material = Material::new([KEYS.secret.as_str(), KEYS.public.as_str()], PIECES);
    let path = KEYS.folder.path().join("key");
    let secret = KEYS.secret.lines().nth(1).unwrap_or_default();
    bolero::check!().for_each(|choices: &[u8]| {
        std::fs::write(&path, material.make(choices)).expect("written");
        let opened = SecretKeyFile::read(&path).and_then(|file| file.open(None));
        match opened {
            Ok(key) => assert!(key.sign(b"document", "x").is_ok()),
            Err(error) => assert!(!error.to_string().contains(secret)),
        }
        if let Ok(key) = VerifyingKey::read(&path) {
            assert_eq!(key.id().len(), 16);
        }
    });
}
