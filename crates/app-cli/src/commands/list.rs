//! `list`: what is in a bag, as its own tag files say. The payload is not read.

use std::fmt::Write;

use jiff::Timestamp;

use crate::args::ListArguments;
use crate::compose::{self, Listing};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::{count, number, printable, size};
use crate::settings::Layer;
use crate::stdout;

use super::session::Session;

pub(super) fn run(session: &mut Session, arguments: ListArguments) -> Result<Ending, CommandError> {
    session.inputs(Layer::default())?;
    let unlock = compose::unlock(arguments.opening)?;
    let bag = compose::open_bag(&arguments.bag, unlock.as_ref())?;
    let listing = compose::list(bag)?;
    let text = if arguments.json {
        stdout::json(&listing)?
    } else {
        table(&listing)
    };
    stdout::write(&text)?;
    for finding in &listing.findings {
        session.messages.warn(&finding.to_string());
    }
    if listing.findings.is_empty() {
        Ok(Ending::Done)
    } else {
        Ok(Ending::Failed)
    }
}

/// A time without its fraction.
fn seconds(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(
        |_| time.to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// A line for each file, then one for the whole.
fn table(listing: &Listing) -> String {
    let mut text = String::new();
    for file in &listing.files {
        let _ = writeln!(text, "{:>11}  {}", size(file.bytes), printable(&file.path));
    }
    let files = number(listing.files.len());
    let bytes = listing
        .files
        .iter()
        .fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    let mut whole = vec![count(files, "file", "files"), size(bytes)];
    whole.extend(listing.user.as_ref().map(|user| format!("data of {user}")));
    whole.extend(
        listing
            .finished
            .as_deref()
            .map(|time| format!("closed {}", seconds(time))),
    );
    whole.extend(listing.outcome.clone());
    if listing.encrypted {
        whole.push("encrypted".to_owned());
    }
    text.push_str(&printable(&whole.join(", ")));
    text.push('\n');
    text
}
