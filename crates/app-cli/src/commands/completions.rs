//! `completions`: what a shell needs to complete this program's command line.

use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::stdout;

pub(super) fn run(arguments: &CompletionsArguments) -> Result<Ending, CommandError> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "uforge-export", &mut script);
    stdout::write(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Done)
}
