//! `config`: the effective configuration and where each value comes from.

use crate::args::ConfigArguments;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::{check, effective};
use crate::stdout;

use super::session::Session;

pub(super) fn run(
    session: &mut Session,
    arguments: ConfigArguments,
) -> Result<Ending, CommandError> {
    let inputs = session.inputs_with_credentials(arguments.export.layer())?;
    session.say_warnings(&inputs);
    stdout::write(&effective(&inputs))?;
    check(&inputs.layers)?;
    Ok(Ending::Done)
}
