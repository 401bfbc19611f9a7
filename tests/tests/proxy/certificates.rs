//! An authority of one's own and a certificate by it, made as docs/deploy.md makes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name that people type.
pub(crate) const NAME: &str = "exports.example.com";

/// The files of a certificate.
pub(crate) struct Certificates {
    /// What those who call trust.
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    pub(crate) fn new(folder: &Path) -> Self {
        let name = format!("/CN={NAME}");
        let alternative = format!("subjectAltName=DNS:{NAME}");
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let authority = ["-subj", "/CN=Example authority", "-days", "3650"];
        openssl(
            folder,
            &[
                &["req", "-x509", "-nodes"],
                &key[..],
                &authority,
                &["-keyout", "ca.key", "-out", "ca.crt"],
            ],
        );
        let service = ["-subj", &name, "-days", "365", "-addext", &alternative];
        openssl(
            folder,
            &[
                &[
                    "req", "-x509", "-nodes", "-CA", "ca.crt", "-CAkey", "ca.key",
                ],
                &key,
                &service,
                &["-addext", "basicConstraints=CA:FALSE"],
                &["-keyout", "exports.key", "-out", "exports.crt"],
            ],
        );
        Self {
            authority: folder.join("ca.crt"),
            certificate: folder.join("exports.crt"),
            key: folder.join("exports.key"),
        }
    }
}

fn openssl(folder: &Path, arguments: &[&[&str]]) {
    let ended = Command::new("openssl")
        .args(arguments.concat())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("openssl");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
}
