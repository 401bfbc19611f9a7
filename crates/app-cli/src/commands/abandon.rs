//! Abandons a run: deletes its tickets on the server.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::ports::{Journal, NoProgress, UserDataApi};
use domain::workflow::{self, Abandoned, Ports};

use crate::compose::{self, RunHeader};
use crate::error::CommandError;
use crate::render::{count, number, printable};
use crate::settings::ConnectionSettings;

use super::session::Session;

/// How long a slow server gets to delete the tickets of a run that is abandoned on purpose.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Deletes the tickets in a journal from the server, and warns of those that are left. That is no error: they stay in the
/// journal.
pub(super) async fn abandon(
    session: &Session,
    api: &dyn UserDataApi,
    journal: &dyn Journal,
    patience: Duration,
) {
    let abandoned = try_abandon(api, journal, patience).await;
    warn_of_unresolved(session, &abandoned);
    let left = abandoned.still_open(&journal.checkpoint());
    if left > 0 {
        session.messages.warn(&format!(
            "{} of this run may still be on the server",
            count(number(left), "ticket", "tickets")
        ));
    }
}

/// Warns of items for which a ticket may exist that cannot be found.
pub(super) fn warn_of_unresolved(session: &Session, abandoned: &Abandoned) {
    let starts = abandoned.unresolved.iter();
    let items: Vec<_> = starts
        .filter(|start| !start.may_be_found)
        .map(|start| start.item.to_string())
        .collect();
    if !items.is_empty() {
        session.messages.warn(&format!(
            "the answer to a start was lost: the platform may keep a ticket of {}",
            items.join(", ")
        ));
    }
}

/// Deletes the tickets in a journal from the server, within this time.
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

/// Whether a run is of another person or another platform: its tickets are not where this connection leads.
pub(super) fn is_of_another(header: &RunHeader, connection: &ConnectionSettings) -> bool {
    header.source != connection.server.url || header.user != connection.user
}

/// `--restart`: removes an unfinished run, on the server and here, before the new one begins.
pub(super) async fn before_restart(
    session: &Session,
    connection: &ConnectionSettings,
    api: &dyn UserDataApi,
    bag: &Path,
) -> Result<(), CommandError> {
    let Some(unfinished) = compose::lock_unfinished(bag)? else {
        return Ok(());
    };
    let other = unfinished
        .header
        .as_ref()
        .filter(|header| is_of_another(header, connection));
    match other {
        None => abandon(session, api, unfinished.journal.as_ref(), PATIENCE).await,
        Some(header) => {
            let open = unfinished.journal.checkpoint().open.len();
            if open > 0 {
                session.messages.warn(&format!(
                    "{} of the run that is discarded may still be on `{}`, of `{}`",
                    count(number(open), "ticket", "tickets"),
                    printable(&header.source),
                    printable(header.user.as_str()),
                ));
            }
        }
    }
    unfinished.remove().map_err(compose::ComposeError::from)?;
    Ok(())
}
