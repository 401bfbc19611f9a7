//! Password or key pair, and from which source: the highest layer that says anything decides.
//!
//! This alone is read from the sources one by one. Of values that are merged already, a password of the environment and a public
//! key of a file would look like a contradiction, or like one key pair.

use secrecy::SecretString;

use super::{Environment, Layer, Layers, Origin};
use crate::credentials::{CredentialsError, Method, OfficialFile, SecretSource};

/// What one source offers.
#[derive(Default)]
struct Offer {
    password: Option<SecretSource>,
    publickey: Option<String>,
    secretkey: Option<SecretSource>,
}

/// Chooses the method: the highest source that offers a password or a part of a key pair decides which of the two it is.
pub(crate) fn choose(
    layers: &Layers,
    environment: &Environment,
    official: Option<&OfficialFile>,
) -> Result<Method, CredentialsError> {
    let offers = offers(layers, environment, official);
    let Some((origin, first)) = offers
        .iter()
        .find(|(_, offer)| offer.password.is_some() || offer.has_key())
    else {
        return Ok(Method::Password(SecretSource::Prompt));
    };
    match (&first.password, first.has_key()) {
        // The official client's file may hold both, and the client then signs.
        (Some(_), true) if !matches!(origin, Origin::Credentials(_)) => {
            Err(CredentialsError::Both {
                origin: (*origin).clone(),
            })
        }
        (Some(password), false) => Ok(Method::Password(password.clone())),
        _ => key_pair(&offers),
    }
}

/// What each source offers, the highest first.
fn offers<'a>(
    layers: &'a Layers,
    environment: &Environment,
    official: Option<&OfficialFile>,
) -> Vec<(&'a Origin, Offer)> {
    let of = |(origin, layer): (&'a Origin, &'a Layer)| {
        let mut offer = Offer {
            password: layer.password_file.clone().map(SecretSource::File),
            publickey: layer.publickey.clone(),
            secretkey: layer.secretkey_file.clone().map(SecretSource::File),
        };
        match origin {
            Origin::Environment => offer.add(
                environment.password.as_ref(),
                environment.secretkey.as_ref(),
            ),
            Origin::Credentials(_) => {
                if let Some(file) = official {
                    offer.add(file.password.as_ref(), file.secretkey.as_ref());
                }
            }
            Origin::Default | Origin::File(_) | Origin::Flag => {}
        }
        (origin, offer)
    };
    layers.sources().rev().map(of).collect()
}

fn key_pair(offers: &[(&Origin, Offer)]) -> Result<Method, CredentialsError> {
    let (from, public) = offers
        .iter()
        .find_map(|(origin, offer)| offer.publickey.clone().map(|key| (*origin, key)))
        .ok_or(CredentialsError::NoPublicKey)?;
    let secret = offers
        .iter()
        .filter(|(origin, offer)| {
            // A secret key that stands beside another public key is not this one's.
            *origin == from || offer.publickey.as_ref().is_none_or(|key| *key == public)
        })
        .find_map(|(_, offer)| offer.secretkey.clone())
        .unwrap_or(SecretSource::Prompt);
    Ok(Method::KeyPair { public, secret })
}

impl Offer {
    fn has_key(&self) -> bool {
        self.publickey.is_some() || self.secretkey.is_some()
    }

    fn add(&mut self, password: Option<&SecretString>, secretkey: Option<&SecretString>) {
        self.password = password.cloned().map(SecretSource::Known);
        self.secretkey = secretkey.cloned().map(SecretSource::Known);
    }
}
