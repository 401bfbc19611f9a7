//! Everything that settings are read from, gathered before anything is decided.

use std::path::{Path, PathBuf};

use std::convert::Infallible;

use settings_layers::Places;

use super::keys::{self, Key};
use super::layers::over_built_in;
use super::{Environment, Layer, Layers, Origin, SettingsError, Sourced};
use crate::args::GeneralArguments;
use crate::credentials::{CredentialsError, OfficialFile};

/// The name of a configuration file in its folder.
pub(crate) const FILE: &str = "config.toml";

/// Everything that settings are read from.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) layers: Layers,
    pub(crate) environment: Environment,
    pub(crate) official: Option<OfficialFile>,
    /// What a person should know, though it stops nothing.
    pub(crate) warnings: Vec<String>,
}

impl Inputs {
    /// Gathers them for a command that signs in.
    pub(crate) fn with_credentials(
        general: &GeneralArguments,
        flags: Layer,
    ) -> Result<Self, SettingsError> {
        let places = Places::of_this_user(FILE);
        let environment = Environment::read(|name| std::env::var_os(name))?;
        let inputs = Self::without_credentials(&places, environment, general, flags)?;
        inputs.check_standard_input()?;
        inputs.add_official(&places)
    }

    /// Whether a secret comes from standard input, which can give no other one.
    pub(crate) fn read_standard_input(&self) -> bool {
        let keys = [
            keys::PASSWORD_FILE,
            keys::SECRETKEY_FILE,
            keys::PASSPHRASE_FILE,
        ];
        keys.into_iter().any(|key| self.is_standard_input(key))
    }

    fn is_standard_input(&self, key: Key<PathBuf>) -> bool {
        let path = self.layers.pick(key);
        path.is_some_and(|path| path.value.as_os_str() == "-")
    }

    pub(super) fn check_standard_input(&self) -> Result<(), CredentialsError> {
        let from_stdin = |key| self.is_standard_input(key);
        let signing_in = from_stdin(keys::PASSWORD_FILE) || from_stdin(keys::SECRETKEY_FILE);
        let secrets = [
            signing_in,
            from_stdin(keys::PASSPHRASE_FILE),
            from_stdin(keys::SIGN_PASSPHRASE_FILE),
        ];
        if secrets.into_iter().filter(|wanted| *wanted).count() > 1 {
            return Err(CredentialsError::StandardInputTwice);
        }
        Ok(())
    }

    /// Gathers them for a command that does not.
    pub(crate) fn without_credentials(
        places: &Places,
        environment: Environment,
        general: &GeneralArguments,
        mut flags: Layer,
    ) -> Result<Self, SettingsError> {
        let mut layers = places.read(general.config.as_deref(), |mut layer: Layer, anchor| {
            layer.anchor(anchor);
            Ok::<_, Infallible>(layer)
        })?;
        flags.log.clone_from(&general.log);
        layers.push((Origin::Environment, environment.layer()));
        layers.push((Origin::Flag, flags));
        Ok(Self {
            layers: over_built_in(layers)?,
            environment,
            official: None,
            warnings: Vec::new(),
        })
    }

    /// Puts the official client's file where it belongs: named by a flag above the configuration files, else below them.
    pub(super) fn add_official(mut self, places: &Places) -> Result<Self, SettingsError> {
        match self.layers.pick(keys::CREDENTIALS) {
            Some(Sourced {
                value: path,
                origin: Origin::Flag,
            }) => {
                let file = OfficialFile::read(&path).map_err(CredentialsError::from)?;
                self.check_typed(&path, &file)?;
                let layer = layer_of(&file);
                let origin = Origin::Credentials(path);
                self.layers.add_below(&Origin::Environment, origin, layer)?;
                self.official = Some(file);
            }
            Some(named) => {
                let file = OfficialFile::read(&named.value).map_err(CredentialsError::from)?;
                self.add_if_meant(named.value, file)?;
            }
            None => {
                if let Some(path) = places.home.as_deref().and_then(OfficialFile::usual) {
                    match OfficialFile::read(&path) {
                        Ok(file) => self.add_if_meant(path, file)?,
                        Err(error) => self.warnings.push(format!("{error}; it is not used")),
                    }
                }
            }
        }
        Ok(self)
    }

    /// A person who names the file means it: a contradiction is an error, unless the other URL was typed as well.
    fn check_typed(&self, path: &Path, file: &OfficialFile) -> Result<(), CredentialsError> {
        if let (Some(wanted), Some(theirs)) = (self.layers.pick(keys::USER), &file.user)
            && wanted.value != *theirs
        {
            return Err(CredentialsError::OtherUser {
                path: path.to_owned(),
                theirs: theirs.clone(),
                wanted: wanted.value,
            });
        }
        if let (Some(wanted), Some(theirs)) = (self.layers.pick(keys::URL), &file.url)
            && wanted.origin == Origin::Environment
            && !same_url(&wanted.value, theirs)
        {
            return Err(CredentialsError::OtherPlatform {
                path: path.to_owned(),
                theirs: theirs.clone(),
                wanted: wanted.value,
            });
        }
        Ok(())
    }

    /// A file that nobody named is used for its own login on its own platform, and its password goes nowhere else.
    fn add_if_meant(&mut self, path: PathBuf, file: OfficialFile) -> Result<(), SettingsError> {
        let user = self.layers.pick(keys::USER);
        let url = self.layers.pick(keys::URL);
        let other_user =
            matches!((&user, &file.user), (Some(wanted), Some(theirs)) if wanted.value != *theirs);
        let other_url = match (&url, &file.url) {
            (Some(wanted), Some(theirs)) => !same_url(&wanted.value, theirs),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !other_user && !other_url {
            let layer = layer_of(&file);
            self.layers.add_lowest(Origin::Credentials(path), layer)?;
            self.official = Some(file);
        }
        Ok(())
    }
}

/// What the official client's file says; the secrets stay in it.
fn layer_of(file: &OfficialFile) -> Layer {
    Layer {
        url: file.url.clone(),
        user: file.user.clone(),
        publickey: file.publickey.clone(),
        insecure: file.accept_auto_signed.filter(|accepted| *accepted),
        ..Layer::default()
    }
}

fn same_url(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/') == other.trim().trim_end_matches('/')
}
