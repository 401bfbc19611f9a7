use std::fs;
use std::path::PathBuf;

use minisign::KeyPair;
use proptest::prelude::*;
use secrecy::SecretString;
use tempfile::TempDir;

use super::*;

const DOCUMENT: &[u8] = b"{\"format\": \"uforge-receipt/1\"}\n";

/// A key pair in files, as `minisign -G` leaves it.
struct Pair {
    folder: TempDir,
    secret: PathBuf,
    public: PathBuf,
}

fn pair(passphrase: Option<&str>) -> Pair {
    let made = match passphrase {
        None => KeyPair::generate_unencrypted_keypair(),
        Some(passphrase) => KeyPair::generate_encrypted_keypair(Some(passphrase.to_owned())),
    };
    let made = made.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let secret = file("key", made.sk.to_box(None).unwrap().into_string());
    let public = file("key.pub", made.pk.to_box().unwrap().into_string());
    Pair {
        folder,
        secret,
        public,
    }
}

/// A key that is open.
pub(crate) fn new_key() -> SigningKey {
    SecretKeyFile::read(&pair(None).secret)
        .unwrap()
        .open(None)
        .unwrap()
}

#[test]
fn what_a_key_signs_its_public_half_accepts_and_no_other() {
    let (mine, other) = (pair(None), pair(None));
    let file = SecretKeyFile::read(&mine.secret).unwrap();
    assert!(!file.is_encrypted());
    // A passphrase that is not needed is not looked at.
    let key = file.open(Some(&SecretString::from("x"))).unwrap();
    let signature = key.sign(DOCUMENT, "file:r.json").unwrap();
    let public = VerifyingKey::read(&mine.public).unwrap();
    assert_eq!(public.id(), key.id());
    assert_eq!(public.check(DOCUMENT, &signature).unwrap(), "file:r.json");
    let windows = signature.replace('\n', "\r\n");
    assert!(public.check(DOCUMENT, &windows).is_ok());
    let other = VerifyingKey::read(&other.public).unwrap();
    assert!(matches!(
        other.check(DOCUMENT, &signature),
        Err(SignatureProblem::OtherKey { .. })
    ));
    assert_eq!(signed_with(&signature).unwrap(), key.id());
    assert!(!format!("{key:?}").contains("secret"));
}

/// As `minisign -G -W` writes it: without a checksum.
#[test]
fn a_key_that_minisign_itself_made_signs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let text = "untrusted comment: minisign encrypted secret key\n\
        RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAN3ML+SkoGj/WpmMOfUwJ2xd4n8/OXb113evl\
        hS3FnowoidmkvUfRouNOIUH89EPb2myWJ+Bc6LhDuREXUwu3mzvXdHBLKm57AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    fs::write(&path, text).unwrap();
    let key = SecretKeyFile::read(&path).unwrap().open(None).unwrap();
    let signature = key.sign(DOCUMENT, "x").unwrap();
    assert!(key.public().check(DOCUMENT, &signature).is_ok());
    // Its halves have to belong together.
    fs::write(&path, text.replace("REXUwu3mzvX", "REXUwu3mzvY")).unwrap();
    let damaged = SecretKeyFile::read(&path).unwrap().open(None);
    assert!(matches!(damaged, Err(SigningKeyError::NotAKey { .. })));
}

#[test]
fn an_encrypted_key_is_opened_by_its_passphrase_only() {
    let pair = pair(Some("pass word"));
    let file = SecretKeyFile::read(&pair.secret).unwrap();
    assert!(file.is_encrypted());
    let open = |passphrase: Option<&str>| file.open(passphrase.map(SecretString::from).as_ref());
    assert!(open(Some("pass word")).is_ok());
    assert!(matches!(
        open(Some("pass")),
        Err(SigningKeyError::WrongPassphrase { .. })
    ));
    assert!(matches!(
        open(None),
        Err(SigningKeyError::NoPassphrase { .. })
    ));
}

#[test]
fn what_is_no_key_is_refused_and_not_repeated() {
    let pair = pair(Some("x"));
    let text = fs::read_to_string(&pair.secret).unwrap();
    let line = text.lines().nth(1).unwrap();
    let path = pair.folder.path().join("wrong");
    // The most operations that can be said: days of work.
    let mut costly =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, line).unwrap();
    costly[38..46].fill(0xff);
    let costly = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, costly);
    for wrong in [
        String::new(),
        "hunter2".to_owned(),
        "untrusted comment: hunter2\n".to_owned(),
        fs::read_to_string(&pair.public).unwrap(),
        text.replace(line, &line[4..]),
        text.replace(line, &costly),
        "\u{0}".repeat(10_000),
    ] {
        fs::write(&path, wrong).unwrap();
        let refused =
            SecretKeyFile::read(&path).and_then(|file| file.open(Some(&SecretString::from("x"))));
        let error = refused.unwrap_err();
        assert!(matches!(error, SigningKeyError::NotAKey { .. }), "{error}");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
    let missing = SecretKeyFile::read(&pair.folder.path().join("none"));
    assert!(
        missing
            .err()
            .unwrap()
            .hint()
            .unwrap()
            .contains("minisign -G")
    );
    for wrong in ["", "hunter2\n", &text] {
        fs::write(&path, wrong).unwrap();
        let refused = VerifyingKey::read(&path).unwrap_err();
        assert!(matches!(refused, VerifyingKeyError::NotAKey { .. }));
    }
}

/// Everything but the comment above it, which nobody signs.
fn signed_part(signature: &str) -> usize {
    signature.find('\n').unwrap() + 1
}

#[test]
fn bytes_where_the_padding_belongs_are_refused() {
    let key = new_key();
    let signature = key.sign(DOCUMENT, "timestamp:1\tfile:r.json").unwrap();
    let text = signature.trim_end();
    let begin = text.strip_suffix("==").unwrap();
    for surplus in ["RW", "A=", "AA"] {
        let longer = format!("{begin}{surplus}\n");
        let checked = key.public().check(DOCUMENT, &longer);
        assert_eq!(checked, Err(SignatureProblem::NotASignature), "{surplus}");
    }
}

proptest! {
    #[test]
    fn one_changed_byte_of_document_or_signature_is_found(at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let key = new_key();
        let signature = key.sign(DOCUMENT, "timestamp:1\tfile:r.json").unwrap();
        let mut document = DOCUMENT.to_vec();
        let place = at.index(document.len());
        document[place] ^= 1 << bit;
        prop_assert_eq!(key.public().check(&document, &signature), Err(SignatureProblem::Wrong));
        let begins = signed_part(&signature);
        let mut changed = signature.into_bytes();
        let place = begins + at.index(changed.len() - begins);
        changed[place] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(key.public().check(DOCUMENT, &changed).is_err(), "{changed:?}");
        }
    }

    #[test]
    fn any_text_is_a_signature_or_not(text in "(untrusted comment: .{0,9}\n)?[A-Za-z0-9+/=\n]{0,300}(trusted comment: )?.{0,99}") {
        prop_assert!(new_key().public().check(DOCUMENT, &text).is_err());
    }
}
