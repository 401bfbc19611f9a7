//! `export`: one user's data into one bag.

use std::path::PathBuf;

use domain::report::Completeness;

use crate::args::ExportArguments;
use crate::compose::RunFiles;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::{Layer, OutputSettings, SelectionSettings, UnsignedConnection};
use crate::signals::Signals;
use crate::stdout;

use super::Session;
use super::run::{Job, bring_home, refuse_impossible};
use super::session::sign;

pub(super) fn run(
    session: &mut Session,
    arguments: ExportArguments,
) -> Result<Ending, CommandError> {
    let mut flags = Layer::default();
    arguments.connection.fill(&mut flags);
    arguments.selection.fill(&mut flags);
    arguments.output.fill(&mut flags);
    let mut inputs = session.inputs_with_credentials(flags)?;
    let selection = SelectionSettings::of(&inputs.layers)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    let output = OutputSettings::of(&inputs.layers)?;
    refuse_impossible(&output)?;
    session.say_warnings(&inputs);
    let brought = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let job = Job {
            connection,
            selection,
            output,
        };
        bring_home(session, signals, &job).await
    })?;
    tell(brought)
}

/// What a run that ended well came to.
pub(super) struct Brought {
    /// The bag; `None` where it went to standard output.
    pub(super) bag: Option<PathBuf>,
    pub(super) completeness: Completeness,
    /// What tells the next run of the bag, until somebody was told of it.
    pub(super) run_files: RunFiles,
}

/// Standard output gets the bag's path, one line. Only then is the run forgotten: one that is killed before has the same
/// command say once more that the bag is complete, instead of refusing its name.
pub(super) fn tell(brought: Brought) -> Result<Ending, CommandError> {
    if let Some(path) = &brought.bag {
        stdout::write_path(path).map_err(|error| CommandError::Untold(Box::new(error)))?;
    }
    brought.run_files.remove();
    Ok(Ending::of_run(brought.completeness))
}
