//! `verify`: every byte of a finished bag, checked again, and with `--against` the bag held against the live platform. What was
//! found is reported on standard error and by the exit status, with `--json` on standard output too.

mod against;
mod document;
mod receipt;
mod text;

use std::path::{Path, PathBuf};

use crate::args::VerifyArguments;
use crate::compose::{self, BagSource, ComposeError, Depth, VerifyReport};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::settings::Layer;
use crate::signals::Signals;
use crate::stdout;

use super::session::{Session, sign};
use document::Document;
use receipt::ReceiptCheck;

pub(super) fn run(
    session: &mut Session,
    mut arguments: VerifyArguments,
) -> Result<Ending, CommandError> {
    if arguments.against {
        return run_against(session, arguments);
    }
    session.inputs(Layer::default())?;
    let check = Check::prepare(&mut arguments)?;
    let depth = check.depth;
    let checked = check.perform()?;
    report_check(session, &arguments.bag, &checked, depth);
    print_check(session, &arguments, &checked)
}

/// A bag that is to be checked, with its receipt.
struct Check {
    path: PathBuf,
    bag: BagSource,
    depth: Depth,
    receipt: Option<receipt::Given>,
}

/// What that came to.
struct Checked {
    report: VerifyReport,
    receipt: Option<ReceiptCheck>,
}

impl Check {
    fn prepare(arguments: &mut VerifyArguments) -> Result<Self, CommandError> {
        let receipt = receipt::Given::read(arguments)?;
        let unlock = compose::unlock(std::mem::take(&mut arguments.opening))?;
        Ok(Self {
            path: arguments.bag.clone(),
            bag: compose::open_bag(&arguments.bag, unlock.as_ref())?,
            depth: depth(arguments),
            receipt,
        })
    }

    /// Reads the bag. Blocks.
    fn perform(self) -> Result<Checked, ComposeError> {
        let report = compose::verify(self.bag, self.depth)?;
        let receipt = self.receipt.map(|given| given.check(&self.path, &report));
        Ok(Checked {
            receipt: receipt.transpose()?,
            report,
        })
    }
}

impl Checked {
    fn receipt_is_sound(&self) -> bool {
        self.receipt.as_ref().is_none_or(ReceiptCheck::is_sound)
    }

    fn is_sound(&self) -> bool {
        self.report.is_sound() && self.receipt_is_sound()
    }
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
    let check = Check::prepare(&mut arguments)?;
    let depth = check.depth;
    let (checked, compared) = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let checking = tokio::task::spawn_blocking(move || check.perform());
        let checked = signals.or(checking).await;
        let checked = checked
            .map_err(CommandError::Interrupted)?
            .map_err(|join| CommandError::Runtime(join.into()))??;
        report_check(session, &arguments.bag, &checked, depth);
        if !checked.is_sound() {
            return Ok((checked, None));
        }
        let report = &checked.report;
        let recorded = against::comparable(session, &arguments.bag, report, &connection)?;
        let compared = against::ask(session, &mut signals, &connection, recorded).await?;
        Ok((checked, Some((connection, compared))))
    })?;
    let Some((connection, compared)) = compared else {
        return print_check(session, &arguments, &checked);
    };
    against::report(session, &arguments.bag, &connection, &compared);
    print(&arguments, &checked, Some((&connection, &compared)))?;
    Ok(Ending::of_drift(&compared.drift))
}

fn report_check(session: &Session, bag: &Path, checked: &Checked, depth: Depth) {
    let report = &checked.report;
    if report.is_sound() {
        session.messages.info(&text::sound(bag, report, depth));
    } else {
        session.messages.notice(&text::damaged(bag, report));
    }
    if let Some(importable) = report
        .importable
        .as_deref()
        .filter(|found| !found.is_empty())
    {
        session.messages.info(text::import(importable).trim_end());
    }
    match &checked.receipt {
        None => {}
        Some(receipt) if receipt.is_sound() => session.messages.info(receipt.text().trim_end()),
        Some(receipt) => session.messages.notice(&receipt.text()),
    }
}

/// That a bag is damaged is the ending, whether or not that could be written.
fn print_check(
    session: &Session,
    arguments: &VerifyArguments,
    checked: &Checked,
) -> Result<Ending, CommandError> {
    match print(arguments, checked, None) {
        Err(error) if !checked.is_sound() => session.messages.error(&error),
        printed => printed?,
    }
    Ok(Ending::of_receipt(
        &checked.report,
        checked.receipt_is_sound(),
    ))
}

fn print(
    arguments: &VerifyArguments,
    checked: &Checked,
    compared: Option<against::Compared<'_>>,
) -> Result<(), CommandError> {
    if !arguments.json {
        return Ok(());
    }
    let document = Document::of(
        &arguments.bag,
        &checked.report,
        checked.receipt.as_ref(),
        compared,
    );
    stdout::write(&stdout::json(&document)?)
}
