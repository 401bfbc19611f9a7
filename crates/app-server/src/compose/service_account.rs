//! The service's own way to sign in: a credentials file as the official client keeps it.

use std::path::{Path, PathBuf};

use adapters_http::{BaseUrl, Credentials};
use adapters_process::{OfficialFile, OfficialFileError};
use thiserror::Error;

/// Why the service has no account.
#[derive(Debug, Error)]
pub(crate) enum ServiceAccountError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] OfficialFileError),
    /// It says nothing that one could sign in with.
    #[error(
        "the credentials file `{}` holds neither `user` and `password` nor `publickey` and `secretkey`",
        path.display()
    )]
    Incomplete { path: PathBuf },
    /// It is for another platform.
    #[error("the credentials file `{}` is for `{theirs}`, not for `{wanted}`", path.display())]
    OtherPlatform {
        path: PathBuf,
        theirs: String,
        wanted: String,
    },
}

/// Reads the file. Where it holds both a password and a key pair, requests are signed, as the official client does it.
pub(super) fn read(path: &Path, platform: &BaseUrl) -> Result<Credentials, ServiceAccountError> {
    let file = OfficialFile::read(path)?;
    if let Some(theirs) = &file.url
        && !is_same(theirs, platform)
    {
        return Err(ServiceAccountError::OtherPlatform {
            path: path.to_owned(),
            theirs: theirs.clone(),
            wanted: platform.as_str().to_owned(),
        });
    }
    match (file.publickey, file.secretkey, file.user, file.password) {
        (Some(public), Some(secret), _, _) => Ok(Credentials::ApiKey { public, secret }),
        (_, _, Some(login), Some(password)) => Ok(Credentials::Password { login, password }),
        _ => Err(ServiceAccountError::Incomplete {
            path: path.to_owned(),
        }),
    }
}

fn is_same(theirs: &str, platform: &BaseUrl) -> bool {
    BaseUrl::parse(theirs).is_ok_and(|theirs| theirs.as_str() == platform.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Credentials, ServiceAccountError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.yml");
        std::fs::write(&path, text).unwrap();
        read(
            &path,
            &BaseUrl::parse("https://uforge.example.com/api").unwrap(),
        )
    }

    #[test]
    fn the_official_clients_file_is_read_and_one_that_does_not_fit_is_refused() {
        let password = of("user: root\npassword: p\nurl: https://uforge.example.com/api/\n");
        assert!(matches!(password, Ok(Credentials::Password { .. })));
        let keys = of("user: root\npassword: p\npublickey: P\nsecretkey: S\n");
        assert!(matches!(keys, Ok(Credentials::ApiKey { .. })));
        for text in ["user: root\n", "password: p\n", "publickey: P\n"] {
            assert!(matches!(
                of(text),
                Err(ServiceAccountError::Incomplete { .. })
            ));
        }
        let other = of("user: root\npassword: p\nurl: https://other.example.com/api\n");
        assert!(matches!(
            other,
            Err(ServiceAccountError::OtherPlatform { .. })
        ));
        assert!(matches!(of("[1]"), Err(ServiceAccountError::File(_))));
    }
}
