//! The readers of the files that a person writes, without the files: for tests that feed them with anything.

use secrecy::ExposeSecret as _;

use crate::credentials::{Language, OfficialFile};
use crate::settings::Layer;

/// The language of a credentials file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsLanguage {
    /// `credentials.yml`.
    Yaml,
    /// `credentials.json`.
    Json,
}

/// What a credentials file holds, in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsRead {
    /// `user`.
    pub user: Option<String>,
    /// `password`.
    pub password: Option<String>,
    /// `publickey`.
    pub publickey: Option<String>,
    /// `secretkey`.
    pub secretkey: Option<String>,
    /// `url`.
    pub url: Option<String>,
}

/// Reads a credentials file of these bytes; an error in the words that a person reads.
pub fn credentials(bytes: &[u8], language: CredentialsLanguage) -> Result<CredentialsRead, String> {
    let language = match language {
        CredentialsLanguage::Yaml => Language::Yaml,
        CredentialsLanguage::Json => Language::Json,
    };
    let file = OfficialFile::parse(bytes, language).map_err(|problem| problem.to_string())?;
    Ok(CredentialsRead {
        user: file.user,
        password: file.password.map(|it| it.expose_secret().to_owned()),
        publickey: file.publickey,
        secretkey: file.secretkey.map(|it| it.expose_secret().to_owned()),
        url: file.url,
    })
}

/// Reads a configuration file of this text: its values as they are kept, or an error in the words that a person reads.
pub fn configuration(text: &str) -> Result<String, String> {
    settings_layers::parse(text)
        .map(|layer: Layer| format!("{layer:?}"))
        .map_err(|error| error.to_string())
}
