//! What is meant: defaults, files, environment and flags laid over each other, and read as one consistent whole, or exit
//! status 2 before anything was sent.
//!
//! Begin with [`Inputs`]; it becomes [`ConnectionSettings`], [`SelectionSettings`] and [`OutputSettings`].

mod address;
mod connection;
mod effective;
mod environment;
mod error;
mod import;
mod inputs;
mod layer;
mod layers;
mod method;
mod origin;
mod output;
mod places;
mod selection;

pub(crate) use address::ServerAddress;
pub(crate) use connection::{ConnectionSettings, Route, SignIn, Trust, UnsignedConnection};
pub(crate) use effective::{check, effective};
pub(crate) use environment::Environment;
pub(crate) use error::SettingsError;
pub(crate) use import::ImportSettings;
pub(crate) use inputs::Inputs;
pub(crate) use layer::{Layer, ProgressMode};
use layers::check_range;
pub(crate) use layers::{Layers, Sourced};
pub(crate) use origin::Origin;
pub(crate) use output::{Encryption, Existing, OutputSettings, Target, UnfinishedPolicy, bag_name};
pub(crate) use places::Places;
#[cfg(feature = "testing")]
pub(crate) use places::parse as parse_layer;
pub(crate) use selection::SelectionSettings;

#[cfg(test)]
mod tests;
