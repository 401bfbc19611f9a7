//! What is said on standard error: to people in words, to programs (`--progress json`) as JSON lines.

use std::borrow::Cow;
use std::io::Write;

use indicatif::MultiProgress;
use serde::Serialize;

use super::error::causes;
use super::{Colour, Hint, error_text, printable, terminal_columns, wrapped};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::progress::json_line;

/// Who reads standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A person.
    Person,
    /// A person who wants to hear of errors only.
    QuietPerson,
    /// A program that reads lines of JSON.
    Program,
}

/// Writes to standard error, beside whatever is drawn there. That nobody reads it is no error.
#[derive(Clone)]
pub(crate) struct Messages {
    screen: MultiProgress,
    listener: Listener,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum MessageEvent<'a> {
    Warning {
        message: &'a str,
    },
    Message {
        message: &'a str,
    },
    Error {
        message: String,
        causes: Vec<String>,
        hint: Option<&'a str>,
        exit_status: u8,
    },
}

impl Messages {
    pub(crate) fn new(screen: MultiProgress, listener: Listener) -> Self {
        Self { screen, listener }
    }

    pub(crate) fn listener(&self) -> Listener {
        self.listener
    }

    /// What a person should know before or after the work. Not said to those who want to hear of errors only.
    pub(crate) fn info(&self, message: &str) {
        match self.listener {
            Listener::Person => self.write(&format!("{message}\n")),
            Listener::QuietPerson => {}
            Listener::Program => self.event(MessageEvent::Message { message }),
        }
    }

    /// What the work came to, where that is bad: shown to everybody.
    pub(crate) fn notice(&self, text: &str) {
        match self.listener {
            Listener::Person | Listener::QuietPerson => self.write(text),
            Listener::Program => self.event(MessageEvent::Message { message: text }),
        }
    }

    /// What may be wrong, though the work goes on.
    pub(crate) fn warn(&self, message: &str) {
        let message = printable(message);
        match self.listener {
            Listener::Person | Listener::QuietPerson => {
                let label = Colour::of_stderr().label("warning:", 33);
                self.write(&format!("{label} {message}\n"));
            }
            Listener::Program => self.event(MessageEvent::Warning { message: &message }),
        }
    }

    /// What ended the command.
    pub(crate) fn error(&self, error: &CommandError) {
        let hint = error.hint();
        match self.listener {
            Listener::Person | Listener::QuietPerson => {
                self.write(&error_text(error, hint.as_deref(), Colour::of_stderr()));
            }
            Listener::Program => self.event(MessageEvent::Error {
                message: printable(&error.to_string()).into_owned(),
                causes: causes(error),
                hint: hint.as_deref(),
                exit_status: Ending::of_error(error).status(),
            }),
        }
    }

    /// An event of its own, for programs.
    pub(crate) fn event<E: Serialize>(&self, event: E) {
        if let Some(line) = json_line(event) {
            self.write(&line);
        }
    }

    /// Text, set for the terminal's width where there is one: elsewhere a line stays a line, for `grep` and logs.
    pub(crate) fn write(&self, text: &str) {
        let set = match self.listener {
            Listener::Person | Listener::QuietPerson => wrapped(text, terminal_columns()),
            Listener::Program => Cow::Borrowed(text),
        };
        self.screen.suspend(|| {
            let _ = std::io::stderr().lock().write_all(set.as_bytes());
        });
    }
}
