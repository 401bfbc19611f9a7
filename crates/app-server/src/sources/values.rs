//! What one source says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use settings_layers::Anchor;

use super::error::KeyError;
use super::key::Key;
use super::said::Said;

/// What one source says with its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Values(BTreeMap<String, Said>);

impl Values {
    /// What is said with this key.
    pub(super) fn get(&self, key: &str) -> Option<&Said> {
        self.0.get(key)
    }

    /// The values of a configuration file, if each can be meant, with its paths as its author means them.
    pub(super) fn checked(self, keys: &[Key], anchor: Anchor<'_>) -> Result<Self, KeyError> {
        let mut checked = BTreeMap::new();
        for (name, mut said) in self.0 {
            let Some(key) = keys.iter().find(|key| key.name() == name) else {
                return Err(unknown(name, keys));
            };
            key.check(&said)?;
            if let Some(path) = said.path().filter(|_| key.is_path()) {
                said = Said::of_path(anchor.resolve(path));
            }
            checked.insert(name, said);
        }
        Ok(Self(checked))
    }
}

impl<'a> FromIterator<(&'a Key, Said)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'a Key, Said)>>(said: I) -> Self {
        let said = said.into_iter();
        Self(
            said.map(|(key, said)| (key.name().to_owned(), said))
                .collect(),
        )
    }
}

fn unknown(key: String, keys: &[Key]) -> KeyError {
    let known: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name())).collect();
    KeyError::Unknown {
        key,
        known: known.join(", "),
    }
}
