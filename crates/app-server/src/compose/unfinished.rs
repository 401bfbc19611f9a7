//! What runs left: opened to be resumed, or given up.

use std::collections::BTreeSet;

use adapters_http::TrackedStarts;
use domain::jobs::{Lease, OpenedRun, RunSettings, RunStore, RunStoreError, RunWriter};
use domain::ports::{Clock, Fact, Journal, NoProgress};
use domain::workflow::{Abandoned, Ports, abandon};

use crate::backend::LeftOver;
use crate::causes::Causes;

/// Opens a run: a new one, or the one that an unfinished run left. One that cannot be resumed is given up, and begins anew.
pub(super) async fn open(
    runs: &dyn RunStore,
    lease: &Lease,
    settings: &RunSettings,
    api: &TrackedStarts,
    clock: &dyn Clock,
) -> Result<OpenedRun, RunStoreError> {
    match runs.open(lease, settings).await {
        Err(error @ RunStoreError::Unresumable { .. }) => {
            tracing::warn!(error = %Causes(&error), "an unfinished run cannot be resumed: it begins anew");
            let writer = RunWriter::Holder(lease.clone());
            abandon_unfinished(runs, &writer, Some(api), clock).await;
            runs.discard(&writer).await?;
            runs.open(lease, settings).await
        }
        opened => opened,
    }
}

/// Takes the tickets of a job's unfinished runs off the platform, which a way to sign in leads to.
pub(super) async fn abandon_unfinished(
    runs: &dyn RunStore,
    writer: &RunWriter,
    api: Option<&TrackedStarts>,
    clock: &dyn Clock,
) -> LeftOver {
    let journals = match runs.unfinished(writer).await {
        Ok(journals) => journals,
        // The tickets are its new holder's.
        Err(RunStoreError::Lost { .. }) => return LeftOver::default(),
        Err(error) => {
            tracing::error!(error = %Causes(&error), "an unfinished run could not be read");
            return LeftOver {
                notes: vec!["export tickets of this run may be left on the platform".to_owned()],
                is_open: true,
            };
        }
    };
    let mut left = LeftOver::default();
    for journal in journals {
        if let Some(api) = api {
            let ports = Ports {
                api,
                clock,
                journal: &*journal,
                progress: &NoProgress,
            };
            left.notes.extend(abandon_of(ports).await);
        }
        let checkpoint = journal.checkpoint();
        left.is_open |= !checkpoint.open.is_empty() || !checkpoint.intents.is_empty();
        if api.is_none() {
            let tickets = checkpoint.open.iter();
            left.notes
                .extend(tickets.map(|ticket| format!("{ticket} may be left on the platform")));
        }
    }
    left
}

/// Deletes the tickets that a journal knows. Gives a sentence for each that is left.
pub(super) async fn abandon_of(ports: Ports<'_>) -> Vec<String> {
    let abandoned = abandon(ports, BTreeSet::new()).await;
    let left = abandoned.left.iter();
    let left = left.map(|(ticket, error)| format!("{ticket} is left on the platform: {error}"));
    let mut notes: Vec<String> = left.collect();
    let unresolved = abandoned.unresolved.iter();
    notes.extend(unresolved.map(|start| start.note.clone()));
    if ports.api.platform().await.is_ok() {
        close_starts(ports.journal, &abandoned).await;
    }
    notes
}

/// Records what the platform's answers say of starts that were never answered, so that nobody asks again for what cannot be found
/// out. What could not be read, or cannot be recorded, is asked for once more.
async fn close_starts(journal: &dyn Journal, abandoned: &Abandoned) {
    for (ticket, _) in &abandoned.left {
        let ticket = *ticket;
        let _ = journal.record(Fact::Started { ticket }).await;
    }
    let (unread, unresolved): (Vec<_>, Vec<_>) = abandoned
        .unresolved
        .iter()
        .partition(|start| start.may_be_found);
    for start in unresolved {
        let (item, note) = (start.item, start.note.clone());
        let _ = journal.record(Fact::Unresolved { item, note }).await;
    }
    for item in journal.checkpoint().intents {
        if unread.iter().all(|start| start.item != item) {
            let _ = journal.record(Fact::NotStarted { item, lost: false }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::{ApiError, MemoryJournal};
    use domain::testing::{Call, FakePlatform, Script, SimClock, appliance};

    use super::*;

    /// Its ticket may be running: what could not be read is no answer.
    #[test]
    fn a_lost_start_stays_open_until_the_list_was_read() {
        let item = appliance(1);
        let clock = SimClock::default();
        let platform = FakePlatform::new(&clock, []);
        let journal = MemoryJournal::default();
        for fact in [
            Fact::Foreign { tickets: vec![] },
            Fact::Intent { item, at: None },
        ] {
            clock.run(journal.record(fact)).unwrap();
        }
        platform.foreign_ticket(item);
        let away = ApiError::ServerFault {
            request: "GET exports".to_owned(),
            status: 503,
            message: None,
        };
        let lists = |call: &Call| *call == Call::OpenTickets;
        platform.script(1, lists, Script::Refuse(away));
        let ports = Ports {
            api: &platform,
            clock: &clock,
            journal: &journal,
            progress: &NoProgress,
        };
        let notes = clock.run(abandon_of(ports));
        assert!(notes[0].contains("could not be read"), "{notes:?}");
        assert_eq!(journal.checkpoint().intents, [item].into());
        assert_eq!(clock.run(abandon_of(ports)), [""; 0]);
        assert_eq!(platform.tickets(), []);
        assert_eq!(journal.checkpoint().intents, [].into());
    }
}
