//! Layers over each other: which source wins, and where a value came from.

use std::ops::RangeInclusive;

use super::{Layer, Origin, SettingsError};

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// All layers, lowest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(pub(crate) Vec<(Origin, Layer)>);

impl Layers {
    /// The value of the highest layer that has one.
    pub(crate) fn pick<T: Clone>(&self, key: impl Fn(&Layer) -> &Option<T>) -> Option<Sourced<T>> {
        self.0.iter().rev().find_map(|(origin, layer)| {
            key(layer).clone().map(|value| Sourced {
                value,
                origin: origin.clone(),
            })
        })
    }

    /// The same with a built-in value below all layers.
    pub(crate) fn pick_or<T: Clone>(
        &self,
        key: impl Fn(&Layer) -> &Option<T>,
        default: T,
    ) -> Sourced<T> {
        self.pick(key).unwrap_or(Sourced {
            value: default,
            origin: Origin::Default,
        })
    }

    /// `on` where a layer sets the flag, `off` where none does or the highest says so.
    pub(crate) fn switch<T>(&self, flag: impl Fn(&Layer) -> &Option<bool>, on: T, off: T) -> T {
        if self.pick_or(flag, false).value {
            on
        } else {
            off
        }
    }
}

/// A number within what is allowed.
pub(super) fn check_range(
    key: &'static str,
    number: Sourced<u64>,
    allowed: RangeInclusive<u64>,
) -> Result<u64, SettingsError> {
    if allowed.contains(&number.value) {
        return Ok(number.value);
    }
    Err(SettingsError::NotAllowed {
        key,
        value: number.value.to_string(),
        origin: number.origin,
        allowed: format!("from {} to {}", allowed.start(), allowed.end()),
    })
}
