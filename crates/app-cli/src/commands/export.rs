//! `export`: one user's data into one bag.

use crate::args::ExportArguments;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::{OutputSettings, SelectionSettings, UnsignedConnection};
use crate::signals::Signals;

use super::job::Job;
use super::outcome::report;
use super::receipt::{ReceiptJob, refuse_impossible_receipt};
use super::run::export;
use super::session::{Session, ask};
use super::since;
use super::target::refuse_impossible;

pub(super) fn run(
    session: &mut Session,
    mut arguments: ExportArguments,
) -> Result<Ending, CommandError> {
    let since = std::mem::take(&mut arguments.since);
    let mut inputs = session.inputs_with_credentials(arguments.layer())?;
    let selection = SelectionSettings::of(&inputs.layers)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    let output = OutputSettings::of(&inputs.layers)?;
    refuse_impossible(&output)?;
    refuse_impossible_receipt(&output)?;
    let earlier = since::open(&since, &inputs)?;
    session.say_warnings(&inputs);
    let finished = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let wanted = output.clone();
        let read = move || {
            let receipt = ReceiptJob::open(&wanted)?;
            Ok((receipt, unsigned.sign()?))
        };
        let (receipt, connection) = ask(&mut signals, read).await?;
        let earlier = since::read(earlier, &mut signals, &connection).await?;
        let job = Job {
            connection,
            selection,
            output,
            receipt,
            earlier,
        };
        export(session, signals, &job).await
    })?;
    Ok(report(session, finished))
}
