//! One key of a configuration file: a flag, as the command line defines it.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use settings_layers::{VariableError, variable, variable_text};

use super::error::KeyError;
use super::said::Said;
use crate::args::CONFIG;

/// One key, and the flag of this name.
#[derive(Clone, Debug)]
pub(super) struct Key {
    name: String,
    arg: Arg,
}

/// How often a flag is given, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Without a value.
    Switch,
    /// Once, with a value.
    One,
    /// Any number of times, each with a value.
    List,
}

impl Key {
    /// All keys, in the order of the help: the long names of the flags, but for the one that names a file.
    pub(super) fn all_of(command: &Command) -> Vec<Self> {
        let flags = command.get_arguments().filter_map(|arg| {
            let name = arg.get_long()?.to_owned();
            let arg = arg.clone();
            Some(Self { name, arg })
        });
        flags.filter(|key| key.name != CONFIG).collect()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its environment variable.
    pub(super) fn variable(&self) -> Option<&str> {
        self.arg.get_env()?.to_str()
    }

    /// Whether its value is a path.
    pub(super) fn is_path(&self) -> bool {
        self.has_type::<PathBuf>()
    }

    /// Whether both together are a contradiction, as this flag has it.
    pub(super) fn excludes(&self, other: &Self, command: &Command) -> bool {
        let excluded = command.get_arg_conflicts_with(&self.arg);
        excluded
            .iter()
            .any(|arg| arg.get_id() == other.arg.get_id())
    }

    /// The flag with nothing but words: no default, no environment, no condition.
    pub(super) fn as_words(&self) -> Arg {
        match self.shape() {
            Shape::Switch => self.plain(),
            Shape::One if self.is_path() => self.plain().value_parser(value_parser!(OsString)),
            Shape::One | Shape::List => self.plain().value_parser(value_parser!(String)),
        }
    }

    /// What was typed.
    pub(super) fn typed(&self, matches: &ArgMatches) -> Option<Said> {
        let id = self.arg.get_id().as_str();
        if matches.value_source(id)? != ValueSource::CommandLine {
            return None;
        }
        Some(match self.shape() {
            Shape::Switch => Said::Switch(true),
            Shape::One | Shape::List => self.said(matches.get_raw(id)?.map(OsStr::to_owned)),
        })
    }

    /// What the environment says. A list has commas, and a path need not be text.
    pub(super) fn of_variable(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Said>, VariableError> {
        if self.is_path() {
            return Ok(variable(name, read).map(|path| Said::of_path(path.into())));
        }
        let text = variable_text(name, read)?;
        Ok(text.map(
            |text| match (self.shape(), self.arg.get_value_delimiter()) {
                (Shape::Switch, _) => text.parse().map_or(Said::Word(text), Said::Switch),
                (_, Some(delimiter)) => self.said(text.split(delimiter).map(OsString::from)),
                (_, None) => self.said(std::iter::once(text.into())),
            },
        ))
    }

    /// What is in effect where nobody says anything, if anything is.
    pub(super) fn built_in(&self) -> Option<Said> {
        let words = self.arg.get_default_values();
        match self.shape() {
            Shape::Switch => Some(Said::Switch(false)),
            Shape::One if words.is_empty() => None,
            Shape::One | Shape::List => Some(self.said(words.iter().map(OsString::from))),
        }
    }

    /// As it would be typed.
    pub(super) fn words(&self, said: &Said) -> Vec<OsString> {
        let flag = OsString::from(format!("--{}", self.name));
        if self.shape() == Shape::Switch {
            return vec![flag];
        }
        let with_value = |word: OsString| {
            let mut flag = flag.clone();
            flag.push("=");
            flag.push(word);
            flag
        };
        said.words().into_iter().map(with_value).collect()
    }

    /// Whether this can be meant, by the flag's own parser.
    pub(super) fn check(&self, said: &Said) -> Result<(), KeyError> {
        let problem = match (self.shape(), said) {
            (Shape::Switch, Said::Switch(_)) => None,
            (Shape::Switch, _) => Some("it has to be true or false".to_owned()),
            (Shape::List, Said::List(words)) => {
                words.iter().find_map(|word| self.problem(word.into()))
            }
            (Shape::List, _) => Some("it has to be a list of texts".to_owned()),
            (Shape::One, Said::Number(_) | Said::Word(_) | Said::Bytes(_)) => {
                said.words().into_iter().find_map(|word| self.problem(word))
            }
            (Shape::One, _) => Some("it has to be one value".to_owned()),
        };
        problem.map_or(Ok(()), |problem| {
            Err(KeyError::Value {
                key: self.name.clone(),
                value: said.shown(),
                problem,
            })
        })
    }

    /// What the flag's parser has against this word.
    fn problem(&self, word: OsString) -> Option<String> {
        let parser = self.arg.get_value_parser().clone();
        let arg = self
            .plain()
            .value_delimiter(None::<char>)
            .value_parser(parser);
        let command = Command::new("value").no_binary_name(true).arg(arg);
        let words = self.words(&Said::of_path(word.into()));
        let error = command.try_get_matches_from(words).err()?;
        if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue) {
            return Some(format!("it has to be one of {}", words.join(", ")));
        }
        let source = error.source().map(ToString::to_string);
        Some(source.unwrap_or_else(|| error.kind().to_string()))
    }

    fn plain(&self) -> Arg {
        let mut arg = Arg::new(self.arg.get_id().clone())
            .long(self.name.clone())
            .action(self.arg.get_action().clone());
        if let Some(short) = self.arg.get_short() {
            arg = arg.short(short);
        }
        match self.arg.get_value_delimiter() {
            Some(delimiter) => arg.value_delimiter(delimiter),
            None => arg,
        }
    }

    fn shape(&self) -> Shape {
        match self.arg.get_action() {
            ArgAction::SetTrue => Shape::Switch,
            ArgAction::Append => Shape::List,
            _ => Shape::One,
        }
    }

    /// What these words say. Those of a list are text.
    fn said(&self, mut words: impl Iterator<Item = OsString>) -> Said {
        if self.shape() == Shape::List {
            let text = |word: OsString| word.to_string_lossy().into_owned();
            return Said::List(words.map(text).collect());
        }
        let word = words.next().unwrap_or_default();
        let is_number = self.has_type::<NonZeroUsize>() || self.has_type::<u64>();
        match word.to_str().and_then(|word| word.parse().ok()) {
            Some(number) if is_number => Said::Number(number),
            _ => Said::of_path(word.into()),
        }
    }

    fn has_type<T: 'static>(&self) -> bool {
        self.arg.get_value_parser().type_id() == TypeId::of::<T>()
    }
}
