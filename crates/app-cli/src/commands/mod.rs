//! One module a command. Each reads its settings, composes, runs, and reports.

mod abandon;
mod completions;
mod config;
mod demo;
mod discard;
mod export;
mod import;
mod job;
mod list;
mod man;
mod order;
mod outcome;
mod plan;
mod question;
mod receipt;
mod run;
mod sandbox;
mod session;
mod since;
mod target;
mod unfinished;
mod verify;

use crate::args::{Arguments, Command};
use crate::error::CommandError;
use crate::exit::Ending;
use session::Session;

/// Does what was asked for, and says on standard error why it could not.
pub(crate) fn run(arguments: Arguments) -> Ending {
    let mut session = Session::open(arguments.general);
    let done = match arguments.command {
        Command::Plan(arguments) => plan::run(&mut session, *arguments),
        Command::Sandbox(arguments) => sandbox::run(&mut session, &arguments),
        Command::Export(arguments) => export::run(&mut session, *arguments),
        Command::Demo(arguments) => demo::run(&mut session, *arguments),
        Command::Verify(arguments) => verify::run(&mut session, *arguments),
        Command::List(arguments) => list::run(&mut session, arguments),
        Command::Import(arguments) => import::run(&mut session, *arguments),
        Command::Discard(arguments) => discard::run(&mut session, *arguments),
        Command::Config(arguments) => config::run(&mut session, *arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man => man::run(),
    };
    done.unwrap_or_else(|error: CommandError| {
        if !matches!(error, CommandError::Interrupted(_)) {
            session.messages.error(&error);
        }
        Ending::of_error(&error)
    })
}
