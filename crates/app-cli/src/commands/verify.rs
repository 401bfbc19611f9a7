//! `verify`: every byte of a finished bag, checked again. What it found is told on standard error and by the exit status.

use std::fmt::Write;
use std::path::Path;

use crate::args::VerifyArguments;
use crate::compose::{self, Depth, VerifyReport};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::{count, printable, size};
use crate::settings::Layer;

use super::Session;

pub(super) fn run(
    session: &mut Session,
    arguments: VerifyArguments,
) -> Result<Ending, CommandError> {
    session.inputs(Layer::default())?;
    let depth = if arguments.deep {
        Depth::Inner
    } else {
        Depth::Bytes
    };
    let unlock = compose::unlock(arguments.opening)?;
    let bag = compose::open_bag(&arguments.bag, unlock.as_ref())?;
    let report = compose::verify(bag, depth)?;
    if report.is_sound() {
        session.voice.say(&sound(&arguments.bag, &report, depth));
        Ok(Ending::Done)
    } else {
        session.voice.complain(&damaged(&arguments.bag, &report));
        Ok(Ending::Damaged)
    }
}

fn sound(bag: &Path, report: &VerifyReport, depth: Depth) -> String {
    let findings = &report.findings;
    let how = match depth {
        Depth::Bytes => "every checksum matches",
        Depth::Inner => "every checksum matches, every inner archive opens and is complete",
    };
    format!(
        "{} is whole: {}, {}, {} of the platform; {how}.",
        printable(&bag.display().to_string()),
        count(findings.payload_files, "file", "files"),
        size(findings.payload_bytes),
        count(report.archives, "archive", "archives"),
    )
}

fn damaged(bag: &Path, report: &VerifyReport) -> String {
    let findings = &report.findings;
    let listed = u64::try_from(findings.list.len()).unwrap_or(u64::MAX);
    let number = listed.saturating_add(findings.untold);
    let mut text = format!(
        "{} is damaged, {}:\n",
        printable(&bag.display().to_string()),
        count(number, "finding", "findings"),
    );
    for finding in &findings.list {
        text.push_str("  ");
        text.push_str(&printable(&finding.to_string()));
        text.push('\n');
    }
    if findings.untold > 0 {
        let _ = writeln!(text, "  and {} more", findings.untold);
    }
    text
}
