//! What the settings are read with: the layers of a command, and the questions that are asked of them.

use std::ops::RangeInclusive;

use super::keys::Key;
use super::{Layer, Origin, SettingsError};

/// All layers of a command.
pub(crate) type Layers = settings_layers::Layers<Layer>;

/// These layers, lowest first, over what is built in.
pub(crate) fn over_built_in(layers: Vec<(Origin, Layer)>) -> Result<Layers, SettingsError> {
    Ok(Layers::new(Layer::built_in(), layers)?)
}

/// `on` where the flag is set, `off` where it is not.
pub(super) fn switch<T>(layers: &Layers, flag: Key<bool>, on: T, off: T) -> T {
    if layers.get(flag).value { on } else { off }
}

/// A number within what is allowed.
pub(super) fn number_within(
    layers: &Layers,
    key: Key<u64>,
    allowed: &RangeInclusive<u64>,
) -> Result<u64, SettingsError> {
    let number = layers.get(key);
    if allowed.contains(&number.value) {
        return Ok(number.value);
    }
    Err(SettingsError::NotAllowed {
        key: key.name(),
        value: number.value.to_string(),
        origin: number.origin,
        allowed: format!("from {} to {}", allowed.start(), allowed.end()),
    })
}
