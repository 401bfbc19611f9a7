//! The command line: `uforge-export`.
//!
//! [`args`] keeps what was typed, [`settings`] says what is meant, [`compose`] builds the adapters, [`commands`] do the work,
//! [`exit`] turns the ending into a number. Standard output carries only what was asked for; all else goes to standard error
//! through [`render::Messages`].

mod args;
mod commands;
mod compose;
mod credentials;
mod error;
mod exit;
mod logging;
mod progress;
mod render;
mod settings;
mod signals;
mod stdout;
#[cfg(feature = "testing")]
pub mod testing;

use std::process::ExitCode;

use clap::Parser;

use crate::exit::Ending;

/// The whole program.
pub fn main() -> ExitCode {
    let ending = match args::Arguments::try_parse() {
        Ok(arguments) => commands::run(arguments),
        Err(answer) => {
            let ending = if answer.use_stderr() {
                Ending::Usage
            } else {
                Ending::Done
            };
            match answer.print() {
                // Help that was asked for and could not be written, except to a reader that has read enough.
                Err(error)
                    if ending == Ending::Done && error.kind() != std::io::ErrorKind::BrokenPipe =>
                {
                    Ending::Failed
                }
                _ => ending,
            }
        }
    };
    ExitCode::from(ending.status())
}
