//! Seals credentials with age.

use adapters_archive::SealKey;
use bytes::Bytes;
use domain::jobs::JobId;
use domain::model::UserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::backend::Credentials;
use crate::seal::{Seal, SealError};

/// Seals to an identity that is not among what the service keeps.
pub(super) struct AgeSeal(pub(super) SealKey);

/// What is inside.
#[derive(Serialize)]
struct Inside<'a> {
    job: &'a str,
    owner: &'a str,
    login: &'a str,
    password: &'a str,
}

/// The same, as it is read: a text in JSON may have to be unescaped.
#[derive(Deserialize)]
struct Opened {
    job: String,
    owner: String,
    login: String,
    password: SecretString,
}

impl Seal for AgeSeal {
    fn seal(
        &self,
        job: &JobId,
        owner: &UserId,
        credentials: &Credentials,
    ) -> Result<Bytes, SealError> {
        let inside = Inside {
            job: job.as_str(),
            owner: owner.as_str(),
            login: credentials.login.as_str(),
            password: credentials.password.expose_secret(),
        };
        let inside = serde_json::to_vec(&inside).map_err(|_| SealError::NotSealed)?;
        let inside = Zeroizing::new(inside);
        let sealed = self.0.seal(&inside);
        Ok(sealed.map_err(|_| SealError::NotSealed)?.into())
    }

    fn open(&self, job: &JobId, owner: &UserId, sealed: &[u8]) -> Result<Credentials, SealError> {
        let inside = self.0.open(sealed).map_err(|_| SealError::Unreadable)?;
        // The parser's own message could repeat the text, and the text is a password.
        let opened: Opened = serde_json::from_slice(&inside).map_err(|_| SealError::Unreadable)?;
        if opened.job != job.as_str() || opened.owner != owner.as_str() {
            return Err(SealError::OfAnother);
        }
        Ok(Credentials {
            login: UserId::parse(&opened.login).map_err(|_| SealError::Unreadable)?,
            password: opened.password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, user};
    use std::os::unix::fs::PermissionsExt as _;

    const KEYS: [&str; 2] = [
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33",
    ];

    fn seal(key: &str) -> AgeSeal {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, key).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        AgeSeal(SealKey::read(&path).unwrap())
    }

    #[test]
    fn a_seal_is_opened_for_its_own_job_and_owner_only() {
        let [mine, other] = KEYS.map(seal);
        let credentials = Credentials {
            login: user("John"),
            password: SecretString::from("pass\"word\u{1}"),
        };
        let sealed = mine.seal(&id(1), &user("john"), &credentials).unwrap();
        let opened = mine.open(&id(1), &user("john"), &sealed).unwrap();
        assert_eq!(opened.login.as_str(), "John");
        assert_eq!(opened.password.expose_secret(), "pass\"word\u{1}");
        for (job, owner) in [(2, "john"), (1, "mary")] {
            let refused = mine.open(&id(job), &user(owner), &sealed);
            assert!(matches!(refused, Err(SealError::OfAnother)));
        }
        let refused = other.open(&id(1), &user("john"), &sealed);
        assert!(matches!(refused, Err(SealError::Unreadable)));
    }
}
