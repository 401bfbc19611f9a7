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
pub(crate) mod keys;
mod layer;
mod layers;
mod method;
mod output;
mod selection;

pub(crate) use address::ServerAddress;
pub(crate) use connection::{ConnectionSettings, Route, SignIn, Trust, UnsignedConnection};
pub(crate) use effective::{check, effective};
pub(crate) use environment::Environment;
pub(crate) use error::SettingsError;
pub(crate) use import::ImportSettings;
pub(crate) use inputs::{FILE, Inputs};
pub(crate) use layer::{Layer, ProgressMode};
pub(crate) use layers::Layers;
pub(crate) use output::{
    Encryption, Existing, OutputSettings, ReceiptSettings, Target, UnfinishedPolicy, bag_name,
};
pub(crate) use selection::SelectionSettings;
pub(crate) use settings_layers::{Origin, Sourced};

#[cfg(test)]
mod tests;
