//! `man`: the manual page, one for the whole program.

use clap::CommandFactory;

use crate::args::Arguments;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::stdout;

pub(super) fn run() -> Result<Ending, CommandError> {
    stdout::write(&page().map_err(CommandError::Stdout)?)?;
    Ok(Ending::Done)
}

/// The program's page, then a page for each command, as `man` prints them one after the other.
fn page() -> std::io::Result<String> {
    let mut roff = Vec::new();
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut roff)?;
    for subcommand in command.get_subcommands() {
        clap_mangen::Man::new(subcommand.clone()).render(&mut roff)?;
    }
    Ok(String::from_utf8_lossy(&roff).into_owned())
}
