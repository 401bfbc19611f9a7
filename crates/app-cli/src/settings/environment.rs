//! What the environment says.

use std::ffi::OsString;

use secrecy::SecretString;
use settings_layers::{VariableError, variable_text};

use super::Layer;

/// The variables of the contract. One that is empty counts as not set.
///
/// Not read by clap: the secrets among them must not become arguments, and the layers want to know where a value came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) url: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) publickey: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) secretkey: Option<SecretString>,
}

impl Environment {
    /// Reads them through `variable`, in a program `std::env::var_os`. One that is no text is an error.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, VariableError> {
        let text = |name| variable_text(name, &variable);
        Ok(Self {
            url: text("UFORGE_URL")?,
            user: text("UFORGE_USER")?,
            publickey: text("UFORGE_PUBLICKEY")?,
            password: text("UFORGE_PASSWORD")?.map(SecretString::from),
            secretkey: text("UFORGE_SECRETKEY")?.map(SecretString::from),
        })
    }

    /// Its layer; the secrets stay here.
    pub(crate) fn layer(&self) -> Layer {
        Layer {
            url: self.url.clone(),
            user: self.user.clone(),
            publickey: self.publickey.clone(),
            ..Layer::default()
        }
    }
}
