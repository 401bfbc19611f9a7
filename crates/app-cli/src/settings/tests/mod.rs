use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::{BagFormat, DocumentForms, ObjectId, Section, Strictness};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use settings_layers::{Places, parse};
use tempfile::TempDir;

use super::layers::over_built_in;
use super::method::choose;
use super::*;
use crate::args::GeneralArguments;
use crate::credentials::{CredentialsError, Method, Secret, SecretSource};

mod layers;
mod sign_in;
mod values;

/// A configuration file of one login.
const FULL: &str = "url = 'https://h/api'\nuser = 'john'\npassword-file = 'pw'\n";

/// A machine with configuration files of its own.
struct Machine {
    folder: TempDir,
    environment: Environment,
    general: GeneralArguments,
}

impl Machine {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Environment::default(),
            general: GeneralArguments::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn named(mut self, name: &str) -> Self {
        self.general.config = Some(self.path(name));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        let only = Environment::read(|asked| (asked == name).then(|| value.into())).unwrap();
        let all = &mut self.environment;
        all.url = only.url.or(all.url.take());
        all.user = only.user.or(all.user.take());
        all.publickey = only.publickey.or(all.publickey.take());
        all.password = only.password.or(all.password.take());
        all.secretkey = only.secretkey.or(all.secretkey.take());
        self
    }

    fn places(&self) -> Places {
        Places {
            system: self.path("system.toml"),
            user: Some(self.path("user.toml")),
            home: Some(self.folder.path().to_owned()),
        }
    }

    fn inputs(&self, flags: Layer) -> Result<Inputs, SettingsError> {
        let places = self.places();
        let inputs =
            Inputs::without_credentials(&places, self.environment.clone(), &self.general, flags)?;
        inputs.check_standard_input()?;
        inputs.add_official(&places)
    }

    fn connection(&self, flags: Layer) -> Result<ConnectionSettings, SettingsError> {
        UnsignedConnection::of(&mut self.inputs(flags)?)?.sign()
    }
}

/// The layers of a command that was typed so, without files and environment.
fn typed(flags: Layer) -> Layers {
    over_built_in(vec![(Origin::Flag, flags)]).unwrap()
}

fn flags(set: impl FnOnce(&mut Layer)) -> Layer {
    let mut layer = Layer::default();
    set(&mut layer);
    layer
}
