//! Sessions that several processes share. What somebody signed in with is sealed to their own token, which only their browser has.

use adapters_archive::{open_with_token, seal_to_token};
use adapters_store::{PostgresSessions, SessionTerms};
use async_trait::async_trait;
use bytes::Bytes;
use domain::model::UserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::auth::{SESSION_TERMS, SessionKey, Sessions, SessionsError, SignedIn};
use crate::backend::Credentials;

/// What is inside of a seal.
#[derive(Serialize)]
struct Inside<'a> {
    login: &'a str,
    password: &'a str,
}

/// The same, as it is read: a text in JSON may have to be unescaped.
#[derive(Deserialize)]
struct Opened {
    login: String,
    password: SecretString,
}

/// Sessions in the database that the processes of a service share.
pub(super) struct SharedSessions(pub(super) PostgresSessions);

/// How long they last.
pub(super) fn terms() -> SessionTerms {
    SessionTerms {
        idle_for: SESSION_TERMS.0,
        at_most: SESSION_TERMS.1,
        per_person: SESSION_TERMS.2,
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> SessionsError {
    SessionsError(Box::new(error))
}

fn seal(key: &SessionKey, credentials: &Credentials) -> Result<Bytes, SessionsError> {
    let inside = Inside {
        login: credentials.login.as_str(),
        password: credentials.password.expose_secret(),
    };
    let inside = Zeroizing::new(serde_json::to_vec(&inside).map_err(failed)?);
    let sealed = seal_to_token(key.secret(), &inside);
    Ok(sealed.map_err(failed)?.into())
}

/// What cannot be opened is no session: the key is not the one that it was sealed to.
fn opened(key: &SessionKey, found: Option<(String, Bytes)>) -> Option<SignedIn> {
    let (owner, sealed) = found?;
    let inside = open_with_token(key.secret(), &sealed).ok()?;
    let inside: Opened = serde_json::from_slice(&inside).ok()?;
    Some(SignedIn {
        owner: UserId::parse(&owner).ok()?,
        credentials: Credentials {
            login: UserId::parse(&inside.login).ok()?,
            password: inside.password,
        },
    })
}

#[async_trait]
impl Sessions for SharedSessions {
    async fn begin(&self, key: SessionKey, signed_in: SignedIn) -> Result<(), SessionsError> {
        let sealed = seal(&key, &signed_in.credentials)?;
        let owner = signed_in.owner.as_str();
        self.0.begin(key.sum(), owner, sealed).await.map_err(failed)
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError> {
        let found = self.0.find(key.sum()).await.map_err(failed)?;
        Ok(opened(key, found))
    }

    async fn end(&self, key: &SessionKey) -> Result<Option<SignedIn>, SessionsError> {
        let ended = self.0.end(key.sum()).await.map_err(failed)?;
        Ok(opened(key, ended))
    }
}
