//! Where configuration files are, and how they become layers.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use adapters_process::{TextFileError, read_text};
use config::{Config, ConfigError, File, FileFormat};
use etcetera::BaseStrategy as _;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::Origin;

/// Configuration files have a few lines; a megabyte is a mistake.
const LIMIT_BYTES: usize = 1024 * 1024;

/// Why a configuration file cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("could not read the configuration file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TextFileError,
    },
    /// It holds a wrong key or value.
    #[error("the configuration file `{}` is wrong", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// A text that is no configuration, or not one of these keys and values.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct SyntaxError(Box<ConfigError>);

/// The folders that configuration is looked for in.
#[derive(Clone, Debug)]
pub struct Places {
    /// The system's file.
    pub system: PathBuf,
    /// The user's file, where there is a home.
    pub user: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

/// How the paths of a configuration file are meant: relative to the file, `~/` being the home folder.
#[derive(Clone, Copy, Debug)]
pub struct Anchor<'a> {
    folder: &'a Path,
    home: Option<&'a Path>,
}

impl Anchor<'_> {
    /// The path that is meant.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(path),
        }
    }
}

impl Places {
    /// `/etc/uforge-export/NAME` and `$XDG_CONFIG_HOME/uforge-export/NAME`.
    pub fn of_this_user(name: &str) -> Self {
        let strategy = etcetera::base_strategy::Xdg::new().ok();
        let inside = |folder: &Path| folder.join("uforge-export").join(name);
        Self {
            system: inside(Path::new("/etc")),
            user: strategy.as_ref().map(|places| inside(&places.config_dir())),
            home: strategy.map(|places| places.home_dir().to_owned()),
        }
    }

    /// The layers of the configuration files that there are, lowest first. One that is named must be there.
    ///
    /// Each is checked by itself, so that an error can name the file: by its type, and by `finish`, which also anchors its paths.
    pub fn read<L, E>(
        &self,
        named: Option<&Path>,
        finish: impl Fn(L, Anchor<'_>) -> Result<L, E>,
    ) -> Result<Vec<(Origin, L)>, FileError>
    where
        L: DeserializeOwned,
        E: StdError + Send + Sync + 'static,
    {
        let usual = [Some(self.system.as_path()), self.user.as_deref()];
        let usual = usual.into_iter().flatten().filter(|path| path.exists());
        usual
            .chain(named)
            .map(|path| Ok((Origin::File(path.to_owned()), self.read_one(path, &finish)?)))
            .collect()
    }

    fn read_one<L, E>(
        &self,
        path: &Path,
        finish: impl Fn(L, Anchor<'_>) -> Result<L, E>,
    ) -> Result<L, FileError>
    where
        L: DeserializeOwned,
        E: StdError + Send + Sync + 'static,
    {
        let wrong = |source| FileError::Wrong {
            path: path.to_owned(),
            source,
        };
        let text = read_text(path, LIMIT_BYTES).map_err(|source| FileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let layer = parse(&text).map_err(|source| wrong(source.into()))?;
        let anchor = Anchor {
            folder: path.parent().unwrap_or(Path::new("")),
            home: self.home.as_deref(),
        };
        finish(layer, anchor).map_err(|source| wrong(source.into()))
    }
}

/// Reads the text of a configuration file.
pub fn parse<L: DeserializeOwned>(text: &str) -> Result<L, SyntaxError> {
    Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| SyntaxError(Box::new(error)))
}
