//! Everything that settings are read from, gathered before anything is decided.

use std::path::{Path, PathBuf};

use super::{Environment, Layer, Layers, Origin, Places, SettingsError, Sourced};
use crate::args::GeneralArguments;
use crate::credentials::{CredentialsError, OfficialFile};

/// Everything that settings are read from.
#[derive(Debug, Default)]
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
        let places = Places::of_this_user();
        let environment = Environment::read(|name| std::env::var_os(name))?;
        let inputs = Self::without_credentials(&places, environment, general, flags)?;
        inputs.check_standard_input()?;
        inputs.add_official(&places)
    }

    pub(super) fn check_standard_input(&self) -> Result<(), CredentialsError> {
        let from_stdin = |of: fn(&Layer) -> &Option<PathBuf>| {
            self.layers
                .pick(of)
                .is_some_and(|path| path.value.as_os_str() == "-")
        };
        let signing_in =
            from_stdin(|layer| &layer.password_file) || from_stdin(|layer| &layer.secretkey_file);
        if signing_in && from_stdin(|layer| &layer.passphrase_file) {
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
        let mut layers = places.read(general.config.as_deref())?;
        flags.log.clone_from(&general.log);
        layers.0.push((Origin::Environment, environment.layer()));
        layers.0.push((Origin::Flag, flags));
        Ok(Self {
            layers,
            environment,
            ..Self::default()
        })
    }

    /// Puts the official client's file where it belongs: named by a flag above the configuration files, else below them.
    pub(super) fn add_official(mut self, places: &Places) -> Result<Self, SettingsError> {
        match self.layers.pick(|layer| &layer.credentials) {
            Some(Sourced {
                value: path,
                origin: Origin::Flag,
            }) => {
                let file = OfficialFile::read(&path).map_err(CredentialsError::from)?;
                self.check_typed(&path, &file)?;
                let above_files = self.layers.0.len().saturating_sub(2);
                self.insert(above_files, path, file);
            }
            Some(named) => {
                let file = OfficialFile::read(&named.value).map_err(CredentialsError::from)?;
                self.add_if_meant(named.value, file);
            }
            None => {
                if let Some(path) = places.home.as_deref().and_then(OfficialFile::usual) {
                    match OfficialFile::read(&path) {
                        Ok(file) => self.add_if_meant(path, file),
                        Err(error) => self.warnings.push(format!("{error}; it is not used")),
                    }
                }
            }
        }
        Ok(self)
    }

    /// A person who names the file means it: a contradiction is an error, unless the other URL was typed as well.
    fn check_typed(&self, path: &Path, file: &OfficialFile) -> Result<(), CredentialsError> {
        if let (Some(wanted), Some(theirs)) = (self.layers.pick(|layer| &layer.user), &file.user)
            && wanted.value != *theirs
        {
            return Err(CredentialsError::OtherUser {
                path: path.to_owned(),
                theirs: theirs.clone(),
                wanted: wanted.value,
            });
        }
        if let (Some(wanted), Some(theirs)) = (self.layers.pick(|layer| &layer.url), &file.url)
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
    fn add_if_meant(&mut self, path: PathBuf, file: OfficialFile) {
        let user = self.layers.pick(|layer| &layer.user);
        let url = self.layers.pick(|layer| &layer.url);
        let other_user =
            matches!((&user, &file.user), (Some(wanted), Some(theirs)) if wanted.value != *theirs);
        let other_url = match (&url, &file.url) {
            (Some(wanted), Some(theirs)) => !same_url(&wanted.value, theirs),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !other_user && !other_url {
            self.insert(0, path, file);
        }
    }

    fn insert(&mut self, place: usize, path: PathBuf, file: OfficialFile) {
        let layer = Layer {
            url: file.url.clone(),
            user: file.user.clone(),
            publickey: file.publickey.clone(),
            insecure: file.accept_auto_signed.filter(|accepted| *accepted),
            ..Layer::default()
        };
        self.layers
            .0
            .insert(place, (Origin::Credentials(path), layer));
        self.official = Some(file);
    }
}

fn same_url(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/') == other.trim().trim_end_matches('/')
}
