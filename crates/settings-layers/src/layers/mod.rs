//! Layers over each other: which source wins, and where a value came from.

use std::collections::BTreeMap;

use config::{Config, ConfigError, Source as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::source::{LayerSource, number_of};
use crate::{Key, Origin, Sourced};

/// Column at which origins begin.
const ORIGIN_COLUMN: usize = 44;

/// Layers that do not fit together: what one of them writes, their type does not read.
#[derive(Debug, Error)]
#[error("the settings of several sources do not fit together")]
pub struct MergeError(#[from] ConfigError);

/// All layers, and what comes of them. The built-in one is the lowest.
#[derive(Clone, Debug)]
pub struct Layers<L> {
    sources: Vec<(Origin, L)>,
    merged: L,
    /// The place among the sources of the one that each key's value is from.
    places: BTreeMap<String, usize>,
}

impl<L: Serialize + DeserializeOwned> Layers<L> {
    /// These layers, lowest first, over the built-in one.
    pub fn new(built_in: L, layers: Vec<(Origin, L)>) -> Result<Self, MergeError> {
        let built_in = std::iter::once((Origin::Default, built_in));
        Self::of(built_in.chain(layers).collect())
    }

    fn of(sources: Vec<(Origin, L)>) -> Result<Self, MergeError> {
        let mut builder = Config::builder();
        for (number, (_, layer)) in sources.iter().enumerate() {
            builder = builder.add_source(LayerSource::new(number, layer)?);
        }
        let config = builder.build()?;
        let values = config.collect()?.into_iter();
        let places = values.filter_map(|(key, value)| Some((key, number_of(&value)?)));
        Ok(Self {
            places: places.collect(),
            merged: config.try_deserialize()?,
            sources,
        })
    }

    /// Adds a layer over the built-in one and below all others.
    pub fn add_lowest(&mut self, origin: Origin, layer: L) -> Result<(), MergeError> {
        self.insert(1, origin, layer)
    }

    /// Adds a layer right below the one of this origin; where there is none, over all others.
    pub fn add_below(
        &mut self,
        upper: &Origin,
        origin: Origin,
        layer: L,
    ) -> Result<(), MergeError> {
        let place = self.sources.iter().position(|(origin, _)| origin == upper);
        self.insert(place.unwrap_or(self.sources.len()), origin, layer)
    }

    fn insert(&mut self, place: usize, origin: Origin, layer: L) -> Result<(), MergeError> {
        let mut sources = std::mem::take(&mut self.sources);
        sources.insert(place.min(sources.len()), (origin, layer));
        *self = Self::of(sources)?;
        Ok(())
    }

    /// One line of the effective settings, as a configuration file has it, with the value's origin behind it; nothing where no
    /// layer has the key. What a URL says before its host is not shown. `variable` is the environment variable of the key.
    pub fn line(&self, key: &str, variable: &str) -> Option<String> {
        let value = serde_json::to_value(&self.merged).ok()?;
        let value = value.get(key).filter(|value| !value.is_null())?;
        let value = without_credentials(&value.to_string());
        // Strings, numbers, booleans and lists of them are written alike in JSON and in TOML.
        let assignment = format!("{key} = {}", value.replace("\",\"", "\", \""));
        let origin = match self.origin(key) {
            Origin::Environment => format!("environment ({variable})"),
            Origin::Flag => format!("command line (--{key})"),
            origin @ (Origin::Default | Origin::File(_) | Origin::Credentials(_)) => {
                origin.to_string()
            }
        };
        Some(format!("{assignment:<ORIGIN_COLUMN$} # {origin}"))
    }
}

impl<L> Layers<L> {
    /// What is in effect, all layers together.
    pub fn merged(&self) -> &L {
        &self.merged
    }

    /// Where the value of this key came from.
    pub fn origin(&self, key: &str) -> Origin {
        let source = self.sources.get(self.place(key));
        source.map(|(origin, _)| origin.clone()).unwrap_or_default()
    }

    /// The place of that source: the built-in layer has 0, and the higher one is above.
    pub fn place(&self, key: &str) -> usize {
        self.places.get(key).copied().unwrap_or(0)
    }

    /// The value of the highest layer that has one.
    pub fn pick<T: Clone>(&self, key: Key<L, T>) -> Option<Sourced<T>> {
        let value = key.of(&self.merged)?.clone();
        let origin = self.origin(key.name());
        Some(Sourced { value, origin })
    }

    /// The value of a key that the built-in layer has. (One that it should have and has not is what its type begins with.)
    pub fn get<T: Clone + Default>(&self, key: Key<L, T>) -> Sourced<T> {
        self.pick(key).unwrap_or_default()
    }

    /// What each source says by itself, lowest first.
    pub fn sources(&self) -> impl DoubleEndedIterator<Item = (&Origin, &L)> {
        self.sources.iter().map(|(origin, layer)| (origin, layer))
    }
}

/// A URL with a password in it is refused where it is used; until then the password is not shown. There may be several, in a list.
fn without_credentials(value: &str) -> String {
    let mut parts = value.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_database = shown.ends_with("postgres") || shown.ends_with("postgresql");
        // In a password of a database somebody may have left a slash as it is.
        let ends: &[char] = if is_database {
            &['?', '"']
        } else {
            &['/', '?', '#', '"']
        };
        let end = part.find(ends).unwrap_or(part.len());
        let (place, rest) = part.split_at(end);
        shown.push_str("://");
        match place.rsplit_once('@') {
            // Who signs in to a database is a setting, and no secret.
            Some((user, _)) if is_database && !user.contains(':') => shown.push_str(place),
            Some((_, place)) => {
                shown.push_str("***@");
                shown.push_str(place);
            }
            None => shown.push_str(place),
        }
        shown.push_str(&without_passwords(rest));
    }
    shown
}

/// The query of a URL, and what stands behind it, without what is called a password.
fn without_passwords(rest: &str) -> String {
    const NAME: &str = "password=";
    let lower = rest.to_ascii_lowercase();
    let mut shown = String::new();
    let mut from = 0;
    while let Some(found) = lower[from..].find(NAME) {
        let value = from + found + NAME.len();
        let end = rest[value..].find(['&', '"', '#']);
        shown.push_str(&rest[from..value]);
        shown.push_str("***");
        from = end.map_or(rest.len(), |end| value + end);
    }
    shown.push_str(&rest[from..]);
    shown
}

#[cfg(test)]
mod tests;
