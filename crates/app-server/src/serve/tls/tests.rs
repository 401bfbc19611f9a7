use std::fs;
use std::path::Path;

use rcgen::{CertifiedKey as Made, generate_simple_self_signed};

use super::*;

fn make() -> (String, String) {
    let Made { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn write(folder: &Path, cert: &str, key: &str) -> TlsFiles {
    let files = TlsFiles::new(folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&files.cert, cert).unwrap();
    fs::write(&files.key, key).unwrap();
    files
}

fn refusal(folder: &Path, cert: &str, key: &str) -> TlsFileError {
    match Tls::open(&write(folder, cert, key)) {
        Err(TlsError::Files(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{cert}{key}"),
    }
}

#[test]
fn files_that_are_no_pair_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (cert, key) = make();
    let (_, other) = make();
    assert!(Tls::open(&write(folder, &cert, &key)).is_ok());
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (cert, key, named) in [
        (key.as_str(), key.as_str(), "cert.pem"),
        ("", &key, "cert.pem"),
        (garbled, &key, "cert.pem"),
        (&cert[..cert.len() / 2], &key, "cert.pem"),
        (&cert, &cert, "key.pem"),
        (&cert, "hunter2", "key.pem"),
        (&cert, &encrypted, "key.pem"),
        (&cert, &key[..key.len() / 2], "key.pem"),
        (&cert, &other, "key.pem"),
    ] {
        let error = refusal(folder, cert, key);
        let said = format!("{} {error:?}", Causes(&error));
        assert!(said.contains(named), "{said}");
        assert!(!said.contains("hunter2"));
    }
    fs::remove_file(folder.join("key.pem")).unwrap();
    let missing = TlsFiles::new(folder.join("cert.pem"), folder.join("key.pem"));
    let Err(error) = Tls::open(&missing) else {
        panic!("there is no key");
    };
    assert!(error.to_string().contains("key.pem"));
}

#[tokio::test]
async fn a_new_pair_is_used_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = make();
    let mut tls = Tls::open(&write(folder.path(), &cert, &key)).unwrap();
    let used = |tls: &Tls| tls.current.0.read().unwrap().cert.clone();
    let first = used(&tls);
    assert!(!tls.look().await.unwrap());
    let (new_cert, new_key) = make();
    write(folder.path(), &new_cert, &key);
    assert!(tls.look().await.is_err());
    assert_eq!(used(&tls), first);
    write(folder.path(), &new_cert, &new_key);
    assert!(tls.look().await.unwrap());
    assert_ne!(used(&tls), first);
    fs::remove_file(&tls.files.cert).unwrap();
    assert!(tls.look().await.is_err());
    assert_ne!(used(&tls), first);
}

#[tokio::test]
async fn who_says_nothing_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = make();
    let tls = Tls::open(&write(folder.path(), &cert, &key)).unwrap();
    let (_silent, stream) = tokio::io::duplex(64);
    let given_up = tls.accept(stream, Duration::from_millis(5)).await;
    assert_eq!(given_up.unwrap_err().kind(), io::ErrorKind::TimedOut);
}
