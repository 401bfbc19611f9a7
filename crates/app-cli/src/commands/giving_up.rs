//! Giving up what a run left on the server.

use std::path::Path;
use std::time::Duration;

use domain::ports::{Journal, NoProgress, UserDataApi};
use domain::workflow::{self, Ports, Withdrawal};

use crate::compose;
use crate::error::CommandError;
use crate::render::{count, printable};
use crate::settings::ConnectionSettings;

use super::Session;

/// Somebody who gives a run up wants its tickets gone: a slow server gets this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes the tickets that a journal holds off the server; says what is left of them. Nothing of it is an error: what is left
/// stays in the journal.
pub(super) async fn withdraw(
    session: &Session,
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    patience: Duration,
) {
    if let Ok(withdrawal) = try_withdraw(api, journal, patience).await {
        say_doubts(session, &withdrawal);
    }
    let left = journal.checkpoint().open.len();
    if left > 0 {
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        session.voice.warn(&format!(
            "{} of this run may still be on the server",
            count(left, "ticket", "tickets")
        ));
    }
}

/// Says of which items nobody can know whether a ticket was made.
pub(super) fn say_doubts(session: &Session, withdrawal: &Withdrawal) {
    if !withdrawal.doubtful.is_empty() {
        let items = withdrawal.doubtful.iter().map(ToString::to_string);
        session.voice.warn(&format!(
            "the answer to a start was lost: the platform may keep a ticket of {}",
            items.collect::<Vec<_>>().join(", ")
        ));
    }
}

/// Takes the tickets that a journal holds off the server, within this time.
pub(super) async fn try_withdraw(
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    patience: Duration,
) -> Result<Withdrawal, CommandError> {
    let checkpoint = journal.checkpoint();
    if checkpoint.open.is_empty() && checkpoint.intents.is_empty() {
        return Ok(Withdrawal::default());
    }
    let clock = compose::clock();
    let ports = Ports {
        api,
        clock: &clock,
        journal,
        progress: &NoProgress,
    };
    match tokio::time::timeout(patience, workflow::withdraw(ports)).await {
        Ok(withdrawal) => Ok(withdrawal?),
        Err(_) => Ok(Withdrawal::default()),
    }
}

/// `--restart`: what an unfinished run left goes, on the server and here, before the new one begins.
pub(super) async fn before_restart(
    session: &Session,
    connection: &ConnectionSettings,
    api: &dyn UserDataApi,
    bag: &Path,
) -> Result<(), CommandError> {
    let Some(leftovers) = compose::leftovers(bag)? else {
        return Ok(());
    };
    let other = leftovers
        .header
        .as_ref()
        .filter(|header| header.source != connection.server.url || header.user != connection.user);
    match other {
        None => withdraw(session, api, leftovers.journal.as_ref(), PATIENCE).await,
        Some(header) => {
            let open = leftovers.journal.checkpoint().open.len();
            if open > 0 {
                let open = u64::try_from(open).unwrap_or(u64::MAX);
                session.voice.warn(&format!(
                    "{} of the run that is given up may still be on `{}`, of `{}`",
                    count(open, "ticket", "tickets"),
                    printable(&header.source),
                    printable(header.user.as_str()),
                ));
            }
        }
    }
    leftovers.remove().map_err(compose::ComposeError::from)?;
    Ok(())
}
