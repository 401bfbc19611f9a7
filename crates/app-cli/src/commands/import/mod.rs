//! `import`: appliances and software of a bag into a UForge, the same or another.

mod state;
mod text;

use std::time::Duration;

use domain::model::ImportOrder;
use domain::ports::{
    BagReader, ImportApi, ImportJournal, MemoryImportJournal, MemoryJournal, NoProgress,
};
use domain::workflow::{self, ImportError, ImportOutcome, ImportPorts, Ports};

use crate::args::ImportArguments;
use crate::compose::{self, BagArchives, UforgeApi};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::progress::{self, Subject};
use crate::render::Listener;
use crate::settings::{ConnectionSettings, ImportSettings, SelectionSettings, UnsignedConnection};
use crate::signals::Signals;
use crate::stdout;

use super::order;
use super::session::{Session, sign};

/// After an interrupt, the deletion of tickets takes this long at most; the state file keeps those that are still on the server then.
const DELETION_AFTER_SIGNAL: Duration = Duration::from_millis(1500);

pub(super) fn run(
    session: &mut Session,
    mut arguments: ImportArguments,
) -> Result<Ending, CommandError> {
    let flags = arguments.layer();
    let mut inputs = session.inputs_with_credentials(flags)?;
    let settings = ImportSettings::of(&arguments, &inputs.layers)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    session.say_warnings(&inputs);
    let unlock = compose::unlock(std::mem::take(&mut arguments.opening))?;
    let bag = compose::archives(&arguments.bag, unlock)?;
    let outcome = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let job = Job {
            arguments: &arguments,
            settings: &settings,
            connection: &connection,
            bag: &bag,
        };
        let outcome = job.perform(session, signals).await?;
        report(session, &job, &outcome);
        Ok(outcome)
    })?;
    if arguments.json {
        stdout::write(&stdout::json(&outcome)?)?;
    } else if arguments.dry_run {
        stdout::write(&text::plan(&outcome))?;
    }
    Ok(Ending::of_import(&outcome))
}

/// What it came to, for people.
fn report(session: &Session, job: &Job<'_>, outcome: &ImportOutcome) {
    if job.arguments.dry_run {
        return;
    }
    let place = format!("{} at {}", job.connection.user, job.connection.server.url);
    let text = text::summary(&place, outcome);
    match session.messages.listener() {
        Listener::QuietPerson if outcome.failed.is_empty() && outcome.notes.is_empty() => {}
        Listener::Person | Listener::QuietPerson => session.messages.write(&text),
        Listener::Program => session.messages.event(text::OutcomeEvent::of(outcome)),
    }
}

/// One import.
struct Job<'a> {
    arguments: &'a ImportArguments,
    settings: &'a ImportSettings,
    connection: &'a ConnectionSettings,
    bag: &'a BagArchives,
}

impl Job<'_> {
    fn order(&self) -> ImportOrder {
        let mut order = order::of_plan(self.connection, &SelectionSettings::everything());
        order.selection = self.settings.selection.clone();
        order.jobs = self.settings.jobs;
        order.max_wait = self.settings.max_wait;
        ImportOrder {
            order,
            on_conflict: self.settings.on_conflict,
            os_version: self.settings.os_version,
            tagging: self.settings.tagging,
        }
    }

    /// Does what was asked for. A signal ends it, deletes its tickets from the server and keeps what can be resumed.
    async fn perform(
        &self,
        session: &Session,
        mut signals: Signals,
    ) -> Result<ImportOutcome, CommandError> {
        let order = self.order();
        let api = compose::uforge(self.connection)?;
        if self.arguments.dry_run {
            let journal = MemoryImportJournal::default();
            let work = self.watched(session, &api, &journal, &order);
            return signals
                .or(work)
                .await
                .map_err(CommandError::Interrupted)?
                .map_err(CommandError::Import);
        }
        let description = signals.or(self.bag.description()).await;
        let description = description
            .map_err(CommandError::Interrupted)?
            .map_err(ImportError::from)?;
        let fingerprint = order.fingerprint(&description.identity);
        let file = state::open(self.arguments, &order, fingerprint)?;
        if !file.checkpoint().is_empty() {
            session
                .messages
                .info("Resuming the import that was interrupted.");
        }
        let work = self.watched(session, &api, &file, &order);
        match signals.or(work).await {
            Ok(Ok(outcome)) => {
                if !outcome.is_unfinished || file.checkpoint().is_empty() {
                    state::remove(file)?;
                }
                Ok(outcome)
            }
            Ok(Err(error)) => {
                if file.checkpoint().is_empty() {
                    state::remove(file)?;
                }
                Err(error.into())
            }
            Err(signal) => {
                signals.end_at_next();
                self.abandon(session, &api, &file, &order).await;
                state::say_kept(session, file)?;
                Err(CommandError::Interrupted(signal))
            }
        }
    }

    /// The workflow with its progress on the screen. When this future is dropped, the display disappears.
    async fn watched(
        &self,
        session: &Session,
        api: &UforgeApi,
        journal: &dyn ImportJournal,
        order: &ImportOrder,
    ) -> Result<ImportOutcome, ImportError> {
        let subject = Subject {
            user: self.connection.user.to_string(),
            preposition: "at",
            host: self.connection.server.host.clone(),
        };
        let mode = session.progress(self.settings.progress);
        let reporter = progress::start(mode, subject, &session.screen);
        let clock = compose::clock();
        let with = ImportPorts {
            ports: Ports {
                api,
                clock: &clock,
                journal: &MemoryJournal::default(),
                progress: &reporter,
            },
            imports: api as &dyn ImportApi,
            bag: self.bag,
            journal,
        };
        if self.arguments.dry_run {
            workflow::plan_import(with, order).await
        } else {
            workflow::import(with, order).await
        }
    }

    /// Deletes the tickets of an import that was interrupted, within a second or two.
    async fn abandon(
        &self,
        session: &Session,
        api: &UforgeApi,
        journal: &dyn ImportJournal,
        order: &ImportOrder,
    ) {
        let clock = compose::clock();
        let with = ImportPorts {
            ports: Ports {
                api,
                clock: &clock,
                journal: &MemoryJournal::default(),
                progress: &NoProgress,
            },
            imports: api,
            bag: self.bag,
            journal,
        };
        let abandoned = workflow::abandon_import(with, order);
        let abandoned = tokio::time::timeout(DELETION_AFTER_SIGNAL, abandoned).await;
        if !matches!(&abandoned, Ok(Ok(abandoned)) if abandoned.left == 0) {
            session.messages.warn(
                "import tickets may still be on the server: the same command resumes or deletes them",
            );
        }
    }
}
