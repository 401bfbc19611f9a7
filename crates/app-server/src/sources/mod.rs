//! What the server is started with: the command line over the environment over configuration files over what is built in.
//!
//! What there is to be set is said once, by the flags of [`Args`]: the keys of a file are their long names, and every value,
//! wherever it comes from, is read by the flag's own parser. A flag more is a row there and nothing here.

mod error;
mod key;
mod said;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, FromArgMatches as _};
use settings_layers::{Layers, Origin, Places};

pub(crate) use error::GivenError;

use crate::args::{Args, CONFIG};
use key::Key;
use said::Said;
use values::Values;

/// The name of a configuration file in its folder.
const FILE: &str = "server.toml";

/// What the server is started with, whoever says it.
#[derive(Debug)]
pub(crate) struct Given {
    command: Command,
    keys: Vec<Key>,
    layers: Layers<Values>,
}

impl Given {
    /// Reads it all. `command` is what the command line is read by.
    pub(crate) fn of_this_process(
        command: Command,
        arguments: impl Iterator<Item = OsString>,
    ) -> Result<Self, GivenError> {
        let places = Places::of_this_user(FILE);
        Self::read(command, arguments, &places, |name| std::env::var_os(name))
    }

    fn read(
        command: Command,
        arguments: impl Iterator<Item = OsString>,
        places: &Places,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, GivenError> {
        let keys = Key::all_of(&command);
        let typed = typed(&command, &keys, arguments)?;
        let named = typed.get_one::<OsString>(CONFIG).map(PathBuf::from);
        let mut layers = places.read(named.as_deref(), |values: Values, anchor| {
            values.checked(&keys, anchor)
        })?;
        layers.push((Origin::Environment, environment(&keys, variable)?));
        let flags = keys
            .iter()
            .filter_map(|key| Some((key, key.typed(&typed)?)));
        layers.push((Origin::Flag, flags.collect()));
        let built_in = keys.iter().filter_map(|key| Some((key, key.built_in()?)));
        Ok(Self {
            layers: Layers::new(built_in.collect(), layers)?,
            command,
            keys,
        })
    }

    /// Everything together, as if it had been typed.
    pub(crate) fn args(&self) -> Result<Args, clap::Error> {
        // An element of a list is whole already, and the environment has been read.
        let plain = |arg: Arg| arg.env(None::<&'static str>).value_delimiter(None::<char>);
        let mut command = self.command.clone().mut_args(plain);
        let program = OsString::from(command.get_name());
        let in_effect = self.in_effect().into_iter();
        let words = in_effect.flat_map(|(key, said)| key.words(said));
        let mut matches =
            command.try_get_matches_from_mut(std::iter::once(program).chain(words))?;
        Args::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    /// The effective settings as a configuration file, each value with its origin.
    pub(crate) fn text(&self) -> String {
        let (set, in_effect) = (self.set(), self.in_effect());
        let has = |keys: &[(&Key, &Said)], wanted: &Key| {
            let mut names = keys.iter().map(|(key, _)| key.name());
            names.any(|name| name == wanted.name())
        };
        let mut text = String::new();
        for key in &self.keys {
            if has(&set, key) && !has(&in_effect, key) {
                continue;
            }
            let variable = key.variable().unwrap_or_default();
            if let Some(line) = self.layers.line(key.name(), variable) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    /// The highest source wins, also over what contradicts it in lower ones.
    fn in_effect(&self) -> Vec<(&Key, &Said)> {
        let set = self.set();
        let is_overruled = |key: &Key| {
            set.iter()
                .any(|(other, _)| self.is_above(other, key) && self.contradict(key, other))
        };
        let in_effect = set.iter().filter(|(key, _)| !is_overruled(key));
        in_effect.copied().collect()
    }

    /// What somebody has set.
    fn set(&self) -> Vec<(&Key, &Said)> {
        let said = self
            .keys
            .iter()
            .filter_map(|key| Some((key, self.said(key)?)));
        said.filter(|(key, said)| self.layers.place(key.name()) > 0 && said.says_something())
            .collect()
    }

    fn is_above(&self, one: &Key, other: &Key) -> bool {
        self.layers.place(one.name()) > self.layers.place(other.name())
    }

    fn said(&self, key: &Key) -> Option<&Said> {
        self.layers.merged().get(key.name())
    }

    fn contradict(&self, one: &Key, other: &Key) -> bool {
        one.excludes(other, &self.command) || other.excludes(one, &self.command)
    }
}

/// What was typed, word for word. Whether the values can be meant is seen when all are known.
fn typed(
    command: &Command,
    keys: &[Key],
    arguments: impl Iterator<Item = OsString>,
) -> Result<ArgMatches, clap::Error> {
    let arguments: Vec<OsString> = arguments.collect();
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_parser(clap::value_parser!(OsString));
    let words = Command::new("words")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(keys.iter().map(Key::as_words))
        .arg(config);
    words.try_get_matches_from(&arguments).map_err(|error| {
        // `--help`, `--version`, and what is wrong: in the words of the whole command.
        let answer = command.clone().try_get_matches_from(&arguments);
        answer.err().unwrap_or(error)
    })
}

fn environment(
    keys: &[Key],
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<Values, GivenError> {
    let mut values = Vec::new();
    for key in keys {
        let Some(name) = key.variable() else { continue };
        let Some(value) = key.of_variable(name, &read)? else {
            continue;
        };
        key.check(&value)
            .map_err(|source| GivenError::Environment {
                name: name.to_owned(),
                source,
            })?;
        values.push((key, value));
    }
    Ok(values.into_iter().collect())
}

#[cfg(test)]
mod tests;
