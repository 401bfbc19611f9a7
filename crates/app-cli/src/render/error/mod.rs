//! Errors for people: what failed, why, what to do.

use std::error::Error;
use std::fmt::Write;
use std::io::IsTerminal;

use super::printable;

/// Whether words may be coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Plain,
    Coloured,
}

impl Colour {
    /// Colour at a terminal, unless `NO_COLOR` says otherwise.
    pub(crate) fn of_stderr() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stderr().is_terminal() && !unwanted {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// A word that introduces a line.
    pub(crate) fn label(self, word: &str, ansi: u8) -> String {
        match self {
            Self::Plain => word.to_owned(),
            Self::Coloured => format!("\u{1b}[1;{ansi}m{word}\u{1b}[0m"),
        }
    }
}

/// `error: …`, a line for each cause, and a hint where there is one.
pub(crate) fn error_text(error: &dyn Error, hint: Option<&str>, colour: Colour) -> String {
    let mut text = format!(
        "{} {}\n",
        colour.label("error:", 31),
        printable(&error.to_string())
    );
    for cause in causes(error) {
        let _ = writeln!(text, "  caused by: {cause}");
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "{} {hint}", colour.label("hint:", 36));
    }
    text
}

/// The causes from the nearest to the first, each said once.
pub(crate) fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Foreign libraries like to repeat their sources in their own text.
        if !said.contains(&text) {
            causes.push(printable(&text).into_owned());
            said = text;
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests;
