//! `discard`: removes an unfinished run, on the server and here.

use std::path::{Path, PathBuf};

use crate::args::DiscardArguments;
use crate::compose::{self, ComposeError, LockedRun};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::{count, number, printable};
use crate::settings::{Inputs, Layer, Origin, SettingsError, UnsignedConnection, keys};
use crate::signals::Signals;

use super::abandon::{PATIENCE, is_of_another, try_abandon, warn_of_unresolved};
use super::session::{Session, sign};

pub(super) fn run(
    session: &mut Session,
    arguments: DiscardArguments,
) -> Result<Ending, CommandError> {
    let mut flags = Layer::default();
    arguments.connection.fill(&mut flags);
    let nothing = || CommandError::NothingUnfinished {
        path: arguments.path.clone(),
    };
    let bag = find(&arguments.path)?.ok_or_else(nothing)?;
    let unfinished = compose::lock_unfinished(&bag)?.ok_or_else(nothing)?;
    let checkpoint = unfinished.journal.checkpoint();
    if checkpoint.may_have_tickets() {
        abandon(session, flags, &unfinished)?;
    } else {
        session.inputs(flags)?;
    }
    unfinished.remove().map_err(ComposeError::from)?;
    let bag = bag.display().to_string();
    session.messages.info(&format!(
        "The unfinished run for {} is gone.",
        printable(&bag)
    ));
    Ok(Ending::Done)
}

/// The final name of the bag whose run is meant: given itself, by its work folder, or by the folder that they are in.
fn find(path: &Path) -> Result<Option<PathBuf>, CommandError> {
    if compose::lock_unfinished(path)?.is_some() {
        return Ok(Some(path.to_owned()));
    }
    // The work folder itself was named.
    if let Some(bag) = compose::bag_of_work_folder(path)
        && compose::lock_unfinished(&bag)?.is_some()
    {
        return Ok(Some(bag));
    }
    if !path.is_dir() {
        return Ok(None);
    }
    let mut inside = compose::unfinished_in(path)?;
    if inside.len() > 1 {
        return Err(CommandError::SeveralUnfinished {
            folder: path.to_owned(),
            bags: inside.into_iter().map(|run| run.path).collect(),
        });
    }
    Ok(inside.pop().map(|run| run.path))
}

fn abandon(session: &mut Session, flags: Layer, run: &LockedRun) -> Result<(), CommandError> {
    let mut inputs = session.inputs_with_credentials(flags)?;
    add_what_the_run_knows(&mut inputs, run)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    session.say_warnings(&inputs);
    let abandoned = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        if let Some(header) = &run.header
            && is_of_another(header, &connection)
        {
            return Err(CommandError::OtherRun {
                user: header.user.clone(),
                source_url: header.source.clone(),
            });
        }
        let api = compose::platform(&connection)?;
        signals
            .or(try_abandon(&api, run.journal.as_ref(), PATIENCE))
            .await
            .map_err(CommandError::Interrupted)
    })?;
    warn_of_unresolved(session, &abandoned);
    let left = abandoned.still_open(&run.journal.checkpoint());
    if left > 0 {
        return Err(CommandError::TicketsLeft {
            left: number(left),
            source: abandoned.left.into_iter().next().map(|(_, error)| error),
        });
    }
    let gone = number(abandoned.deleted.len());
    session.messages.info(&format!(
        "{} gone from the server.",
        count(gone, "ticket is", "tickets are")
    ));
    Ok(())
}

/// Where nobody says otherwise, the platform and the login are those of the run.
fn add_what_the_run_knows(inputs: &mut Inputs, run: &LockedRun) -> Result<(), SettingsError> {
    let Some(header) = &run.header else {
        return Ok(());
    };
    let known = Layer {
        url: Some(header.source.clone()),
        user: Some(header.user.to_string()),
        ..Layer::default()
    };
    inputs.layers.add_lowest(Origin::Default, known)?;
    let login = inputs.layers.pick(keys::USER);
    let other = inputs.layers.pick(keys::AS);
    if other.is_none() && login.is_some_and(|login| login.value != header.user.as_str()) {
        let acting_on = Layer {
            as_user: Some(header.user.to_string()),
            ..Layer::default()
        };
        inputs.layers.add_lowest(Origin::Default, acting_on)?;
    }
    Ok(())
}
