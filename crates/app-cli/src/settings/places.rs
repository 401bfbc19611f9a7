//! Where configuration files are, and how they become layers.

use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat};

use super::{Layer, Layers, Origin, SettingsError};
use crate::compose::read_text;

/// Configuration files have a few lines; a megabyte is a mistake.
const LIMIT_BYTES: usize = 1024 * 1024;

/// The folders that configuration is looked for in.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The system's file.
    pub(crate) system: PathBuf,
    /// The user's file, where there is a home.
    pub(crate) user: Option<PathBuf>,
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
}

impl Places {
    /// The folders of docs/cli.md#configuration.
    pub(crate) fn of_this_user() -> Self {
        use etcetera::BaseStrategy;
        let strategy = etcetera::base_strategy::Xdg::new().ok();
        Self {
            system: PathBuf::from("/etc/uforge-export/config.toml"),
            user: strategy
                .as_ref()
                .map(|places| places.config_dir().join("uforge-export/config.toml")),
            home: strategy.map(|places| places.home_dir().to_owned()),
        }
    }

    /// The configuration files that there are, lowest first. One that is named must be there.
    pub(crate) fn read(&self, named: Option<&Path>) -> Result<Layers, SettingsError> {
        let mut layers = Layers::default();
        let usual = [Some(&self.system), self.user.as_ref()];
        for path in usual.into_iter().flatten().filter(|path| path.exists()) {
            layers.0.push(self.read_one(path)?);
        }
        if let Some(path) = named {
            layers.0.push(self.read_one(path)?);
        }
        Ok(layers)
    }

    /// Each file is checked by itself, so that an error can name it, and stays a layer by itself: how to sign in is chosen from
    /// what one source says as a whole (`method::choose`), which values that are merged already no longer show.
    fn read_one(&self, path: &Path) -> Result<(Origin, Layer), SettingsError> {
        let text =
            read_text(path, LIMIT_BYTES).map_err(|source| SettingsError::ConfigUnreadable {
                path: path.to_owned(),
                source,
            })?;
        let mut layer = parse(&text).map_err(|source| SettingsError::ConfigWrong {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        layer.anchor(folder, self.home.as_deref());
        Ok((Origin::File(path.to_owned()), layer))
    }
}

pub(crate) fn parse(text: &str) -> Result<Layer, config::ConfigError> {
    Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()?
        .try_deserialize()
}
