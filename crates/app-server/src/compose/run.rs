//! A run of the real workflow.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::TrackedStarts;
use async_trait::async_trait;
use domain::jobs::{Lease, OpenedRun, RunStore};
use domain::model::{Order, SafeName};
use domain::ports::{ArchiveSink, Clock, Journal, NoProgress, Progress};
use domain::report::export_json;
use domain::workflow::{self, ExportTimes, Known, Ports, export_knowing};
use futures_util::future::join_all;

use super::earlier_bag::EarlierBag;
use super::failure::setback_of_run;
use super::unfinished::abandon_of;
use crate::backend::{Exported, Run, Setback, of_storage, setback_of_runs};
use crate::causes::Causes;

/// How long a run that is stopped waits for answers to what it has asked for.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Where a run is.
enum State {
    /// It can write.
    Open(Box<dyn ArchiveSink>),
    /// An earlier run had finished the bag.
    Complete,
    /// Nothing is to be done any more.
    Ended,
}

/// Where a run's bag is.
pub(super) struct RunPlace {
    pub(super) runs: Arc<dyn RunStore>,
    pub(super) lease: Lease,
    pub(super) file: SafeName,
}

/// The workflow against a UForge, into a bag of the run store.
pub(super) struct ForgeRun {
    api: TrackedStarts,
    clock: Arc<dyn Clock>,
    journal: Option<Arc<dyn Journal>>,
    state: State,
    order: Order,
    place: RunPlace,
    /// The earlier bag, where there is one, or why nothing is taken from it.
    since: Option<Result<EarlierBag, String>>,
    /// How long exports took in other runs of this process.
    times: Arc<ExportTimes>,
}

impl ForgeRun {
    pub(super) fn new(
        api: TrackedStarts,
        clock: Arc<dyn Clock>,
        opened: OpenedRun,
        order: Order,
        place: RunPlace,
        (since, times): (Option<Result<EarlierBag, String>>, Arc<ExportTimes>),
    ) -> Self {
        let (journal, state) = match opened {
            OpenedRun::Ready {
                sink,
                journal,
                resumed,
            } => {
                if resumed {
                    tracing::info!("an unfinished run is resumed");
                }
                (journal, State::Open(sink))
            }
            OpenedRun::Complete { journal } => (journal, State::Complete),
        };
        Self {
            api,
            clock,
            journal: Some(journal),
            state,
            order,
            place,
            since,
            times,
        }
    }

    fn ports<'a>(&'a self, journal: &'a dyn Journal, progress: &'a dyn Progress) -> Ports<'a> {
        Ports {
            api: &self.api,
            clock: &*self.clock,
            journal,
            progress,
        }
    }

    async fn export_into(
        &mut self,
        sink: Box<dyn ArchiveSink>,
        progress: &dyn Progress,
    ) -> Result<Exported, Setback> {
        let Some(journal) = self.journal.clone() else {
            return Err(ended());
        };
        let ports = self.ports(&*journal, progress);
        let (since, notes) = match &self.since {
            Some(Ok(earlier)) => (Some(earlier.since()), None),
            Some(Err(note)) => (None, Some(note)),
            None => (None, None),
        };
        let known = Known {
            since,
            times: Some(&self.times),
        };
        let outcome = export_knowing(ports, known, sink, &self.order).await;
        let outcome = outcome.map_err(|error| setback_of_run(&error))?;
        Ok(Exported {
            name: self.place.file.clone(),
            completeness: outcome.report.completeness,
            report: export_json(&outcome.report).into(),
            delivered: journal.checkpoint().delivered.map(|delivered| *delivered),
            // The record is all that its person sees of what the workflow says.
            notes: notes
                .into_iter()
                .chain(&outcome.report.notes)
                .cloned()
                .collect(),
        })
    }

    /// The bag is there: nothing is asked of the platform but to delete its tickets.
    async fn complete(&self, progress: &dyn Progress) -> Result<Exported, Setback> {
        if let Some(journal) = &self.journal {
            abandon_of(self.ports(&**journal, progress)).await;
        }
        let RunPlace { runs, lease, file } = &self.place;
        let report = runs.report(lease, file).await;
        let report = report.map_err(|error| setback_of_runs(&error))?;
        let mut exported = Exported::of_report(file.clone(), report);
        if let Some(journal) = &self.journal {
            let said = journal.checkpoint();
            exported.notes.extend(said.unresolved);
            exported.notes.extend(said.not_reused.into_values());
        }
        Ok(exported)
    }

    /// Writes down the tickets whose starts were answered when nobody waited for it any more.
    async fn record_answers(&self, journal: &dyn Journal) {
        let answered = self.api.settle(LAST_ANSWERS_WITHIN).await;
        for (ticket, error) in workflow::record_answers(&self.api, journal, answered).await {
            tracing::warn!(%ticket, error = %Causes(&error), "an export ticket is left on the platform");
        }
    }

    /// Deletes the tickets that are left: those that are not in the journal, because its disk is full or not there, and once more those whose
    /// deletion failed. Gives a sentence for each that is still left.
    async fn delete_the_rest(&self) -> impl Iterator<Item = String> {
        let open = self.api.settle(Duration::ZERO).await;
        let deleted = open
            .into_iter()
            .map(async |ticket| (ticket, workflow::stop_and_delete(&self.api, ticket).await));
        let deleted = join_all(deleted).await.into_iter();
        deleted.filter_map(|(ticket, answer)| {
            let error = answer.err()?;
            Some(format!("{ticket} is left on the platform: {error}"))
        })
    }
}

fn ended() -> Setback {
    of_storage(&std::io::Error::other("this run is over"))
}

#[async_trait]
impl Run for ForgeRun {
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, Setback> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Open(sink) => self.export_into(sink, progress).await,
            State::Complete => self.complete(progress).await,
            State::Ended => Err(ended()),
        }
    }

    async fn suspend(&mut self) {
        // Its files are closed first, so that nothing else is written.
        self.state = State::Ended;
        if let Some(journal) = self.journal.take() {
            self.record_answers(&*journal).await;
        }
    }

    async fn abandon(&mut self) -> Vec<String> {
        self.state = State::Ended;
        let mut notes = Vec::new();
        if let Some(journal) = self.journal.take() {
            self.record_answers(&*journal).await;
            notes = abandon_of(self.ports(&*journal, &NoProgress)).await;
        }
        for note in self.delete_the_rest().await {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}
