//! `verify`: every byte of a finished bag, checked again, and with `--against` the bag held against the live platform. What was
//! found is reported on standard error and by the exit status, with `--json` on standard output too.

mod against;
mod document;
mod text;

use std::path::Path;

use crate::args::VerifyArguments;
use crate::compose::{self, Depth, VerifyReport};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::Layer;
use crate::signals::Signals;
use crate::stdout;

use super::session::{Session, sign};
use document::Document;

pub(super) fn run(
    session: &mut Session,
    mut arguments: VerifyArguments,
) -> Result<Ending, CommandError> {
    if arguments.against {
        return run_against(session, arguments);
    }
    session.inputs(Layer::default())?;
    let depth = depth(&arguments);
    let unlock = compose::unlock(std::mem::take(&mut arguments.opening))?;
    let bag = compose::open_bag(&arguments.bag, unlock.as_ref())?;
    let report = compose::verify(bag, depth)?;
    report_check(session, &arguments.bag, &report, depth);
    print_check(session, &arguments, &report)
}

fn depth(arguments: &VerifyArguments) -> Depth {
    if arguments.deep {
        Depth::Inner
    } else {
        Depth::Bytes
    }
}

/// The platform is asked only about a bag that is sound: what a damaged one says of itself is worth nothing.
fn run_against(
    session: &mut Session,
    mut arguments: VerifyArguments,
) -> Result<Ending, CommandError> {
    let unsigned = against::settings(session, &mut arguments)?;
    let depth = depth(&arguments);
    let unlock = compose::unlock(std::mem::take(&mut arguments.opening))?;
    let bag = compose::open_bag(&arguments.bag, unlock.as_ref())?;
    let (report, compared) = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let checking = tokio::task::spawn_blocking(move || compose::verify(bag, depth));
        let checked = signals.or(checking).await;
        let report = checked
            .map_err(CommandError::Interrupted)?
            .map_err(|join| CommandError::Runtime(join.into()))??;
        report_check(session, &arguments.bag, &report, depth);
        if !report.is_sound() {
            return Ok((report, None));
        }
        let recorded = against::comparable(session, &arguments.bag, &report, &connection)?;
        let compared = against::ask(session, &mut signals, &connection, recorded).await?;
        Ok((report, Some((connection, compared))))
    })?;
    let Some((connection, compared)) = compared else {
        return print_check(session, &arguments, &report);
    };
    against::report(session, &arguments.bag, &connection, &compared);
    print(&arguments, &report, Some((&connection, &compared)))?;
    Ok(Ending::of_drift(&compared.drift))
}

fn report_check(session: &Session, bag: &Path, report: &VerifyReport, depth: Depth) {
    if report.is_sound() {
        session.messages.info(&text::sound(bag, report, depth));
    } else {
        session.messages.notice(&text::damaged(bag, report));
    }
}

/// That a bag is damaged is the ending, whether or not that could be written.
fn print_check(
    session: &Session,
    arguments: &VerifyArguments,
    report: &VerifyReport,
) -> Result<Ending, CommandError> {
    match print(arguments, report, None) {
        Err(error) if !report.is_sound() => session.messages.error(&error),
        printed => printed?,
    }
    Ok(Ending::of_check(report))
}

fn print(
    arguments: &VerifyArguments,
    report: &VerifyReport,
    compared: Option<against::Compared<'_>>,
) -> Result<(), CommandError> {
    if !arguments.json {
        return Ok(());
    }
    let document = Document::of(&arguments.bag, report, compared);
    stdout::write(&stdout::json(&document)?)
}
