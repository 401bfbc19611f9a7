//! Giving up what a run left on the server.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::ports::{Journal, NoProgress, UserDataApi};
use domain::workflow::{self, Abandoned, Ports};

use crate::compose;
use crate::error::CommandError;
use crate::render::{count, printable};
use crate::settings::ConnectionSettings;

use super::Session;

/// Somebody who gives a run up wants its tickets gone: a slow server gets this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes the tickets that a journal holds off the server; says what is left of them. Nothing of it is an error: what is left
/// stays in the journal.
pub(super) async fn abandon(
    session: &Session,
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    patience: Duration,
) {
    let abandoned = try_abandon(api, journal, patience).await;
    say_doubts(session, &abandoned);
    let left = abandoned.still_open(&journal.checkpoint());
    if left > 0 {
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        session.voice.warn(&format!(
            "{} of this run may still be on the server",
            count(left, "ticket", "tickets")
        ));
    }
}

/// Says of which items nobody can know whether a ticket was made.
pub(super) fn say_doubts(session: &Session, abandoned: &Abandoned) {
    if !abandoned.unresolved.is_empty() {
        let items = abandoned.unresolved.iter().map(ToString::to_string);
        session.voice.warn(&format!(
            "the answer to a start was lost: the platform may keep a ticket of {}",
            items.collect::<Vec<_>>().join(", ")
        ));
    }
}

/// Takes the tickets that a journal holds off the server, within this time.
pub(super) async fn try_abandon(
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    patience: Duration,
) -> Abandoned {
    let clock = compose::clock();
    let ports = Ports {
        api,
        clock: &clock,
        journal,
        progress: &NoProgress,
    };
    let abandoned = workflow::abandon(ports, BTreeSet::new());
    tokio::time::timeout(patience, abandoned)
        .await
        .unwrap_or_default()
}

/// `--restart`: what an unfinished run left goes, on the server and here, before the new one begins.
pub(super) async fn before_restart(
    session: &Session,
    connection: &ConnectionSettings,
    api: &dyn UserDataApi,
    bag: &Path,
) -> Result<(), CommandError> {
    let Some(leftovers) = compose::lock_unfinished(bag)? else {
        return Ok(());
    };
    let other = leftovers
        .header
        .as_ref()
        .filter(|header| header.source != connection.server.url || header.user != connection.user);
    match other {
        None => abandon(session, api, leftovers.journal.as_ref(), PATIENCE).await,
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
