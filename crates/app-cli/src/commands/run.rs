//! One run, from the settings to the finished bag: shared by `export` and `demo`, so that the demo shows the real thing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::{Order, Ticket};
use domain::ports::{Fact, FinishedBag, Journal, Recovered, UserDataApi};
use domain::report::{Completeness, Failure, Outcome, summary};
use domain::workflow::{self, Ports};
use jiff::Timestamp;
use serde::Serialize;

use crate::compose::{self, OpenRun, OpenedRun, RememberedStarts, Traces};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::progress::{self, Subject};
use crate::render::{Listener, count, printable};
use crate::settings::{
    ConnectionSettings, Existing, Leftovers, OutputSettings, SelectionSettings, SettingsError,
    Target, bag_name,
};
use crate::signals::Signals;

use super::export::Brought;
use super::giving_up::{before_restart, withdraw};
use super::{Session, order};

/// Somebody who stops a run waits this long at most; what is then still on the server is remembered.
const PARTING: Duration = Duration::from_secs(1);
/// Of that, so much for answers to starts that were on their way.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
/// A run that failed and cannot be resumed takes its tickets back with more patience.
const TIDYING: Duration = Duration::from_secs(20);
/// Summaries are set for this width.
const COLUMNS: usize = 80;

/// Everything that a run is made from.
pub(super) struct Job {
    pub(super) connection: ConnectionSettings,
    pub(super) selection: SelectionSettings,
    pub(super) output: OutputSettings,
}

/// Refuses a final name that is taken, before a password is asked for. What an interrupted run has just published is its own.
pub(super) fn refuse_taken(output: &OutputSettings) -> Result<(), CommandError> {
    if let Target::File(path) = &output.target
        && output.existing == Existing::Refuse
        && path.symlink_metadata().is_ok()
        && compose::unfinished_at(path)?.is_none()
    {
        return Err(SettingsError::Exists { path: path.clone() }.into());
    }
    Ok(())
}

/// Does the job. A signal ends it, takes its tickets off the server and keeps what can be resumed.
pub(super) async fn bring_home(
    session: &Session,
    signals: Signals,
    job: &Job,
) -> Result<Brought, CommandError> {
    let api = compose::platform(&job.connection)?;
    let (file, order) = place(session, job, &api).await?;
    let run = match compose::archive(file.as_deref(), &order, &job.output)? {
        OpenedRun::Ready(run) => run,
        OpenedRun::AlreadyComplete { bag, traces } => {
            return Ok(already_complete(session, &api, bag, traces).await);
        }
    };
    if run.resumed {
        let number = u64::try_from(run.sink.recovered().len()).unwrap_or(u64::MAX);
        let kept = count(number, "file is", "files are");
        session.voice.say(&format!(
            "Going on with the run that was interrupted: {kept} here already."
        ));
    }
    let (outcome, traces) = drive(session, signals, job, &api, run, &order).await?;
    tell_outcome(session, &outcome);
    Ok(Brought {
        bag: outcome.bag.path,
        completeness: outcome.report.completeness,
        traces,
    })
}

/// The file that the bag is to be, and the order with the name of its top folder. With `--restart`, what lies there goes.
async fn place(
    session: &Session,
    job: &Job,
    api: &dyn UserDataApi,
) -> Result<(Option<PathBuf>, Order), CommandError> {
    let output = &job.output;
    let made_up = output.made_up_file(&job.connection.user, Timestamp::now());
    let order_for = |file: &Path| -> Result<Order, SettingsError> {
        let name = bag_name(file, output.format)?;
        Ok(order::of_export(
            &job.connection,
            &job.selection,
            output,
            name,
        ))
    };
    let found = match &output.target {
        Target::Stdout => return Ok((None, order_for(&made_up)?)),
        Target::File(path) => Some(path.clone()),
        Target::Folder(folder) => {
            let fingerprint = order_for(&made_up)?.fingerprint();
            let encrypted = output.encryption.is_on();
            compose::unfinished_in(folder)?
                .into_iter()
                .find(|run| {
                    run.header.fingerprint == fingerprint && run.header.encrypted == encrypted
                })
                .map(|run| run.path)
        }
    };
    if output.leftovers == Leftovers::Discard
        && let Some(path) = &found
    {
        before_restart(session, &job.connection, api, path).await?;
    }
    let file = match (&output.target, found, output.leftovers) {
        (Target::Folder(_), Some(found), Leftovers::Continue) => found,
        (Target::File(path), _, _) => path.clone(),
        (Target::Folder(_) | Target::Stdout, _, _) => made_up,
    };
    let order = order_for(&file)?;
    Ok((Some(file), order))
}

/// Runs the workflow against a signal.
async fn drive(
    session: &Session,
    mut signals: Signals,
    job: &Job,
    api: &RememberedStarts,
    run: OpenRun,
    order: &Order,
) -> Result<(Outcome, Traces), CommandError> {
    let OpenRun {
        sink,
        journal,
        traces,
        target,
        resumed,
    } = run;
    let beginning = if resumed {
        Beginning::Resumed
    } else {
        Beginning::New
    };
    let subject = Subject {
        user: job.connection.user.to_string(),
        host: job.connection.server.host.clone(),
    };
    let mode = session.progress(job.output.progress);
    let mut reporter = progress::start(mode, subject, &session.screen);
    let clock = compose::clock();
    let ports = Ports {
        api,
        clock: &clock,
        journal: journal.as_ref(),
        progress: &reporter,
    };
    let done = signals.or(workflow::export(ports, sink, order)).await;
    reporter.stop();
    let ended = match done {
        Ok(Ok(outcome)) => return Ok((outcome, traces)),
        Ok(Err(error)) => {
            remember_answers(api, journal.as_ref(), TIDYING).await;
            if target.is_none() {
                withdraw(session, api, journal.as_ref(), TIDYING).await;
            }
            CommandError::Run(error)
        }
        Err(signal) => {
            signals.end_at_next();
            remember_answers(api, journal.as_ref(), LAST_ANSWERS).await;
            withdraw(session, api, journal.as_ref(), PARTING).await;
            CommandError::Interrupted(signal)
        }
    };
    let remains = Remains::of(&journal.remembered(), &job.output, &ended, beginning);
    // The lock goes with the journal.
    drop((journal, traces));
    remains.settle(session, target.as_deref(), &ended);
    Err(ended)
}

/// Whether a run had an earlier one to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    New,
    Resumed,
}

/// A start that was on its way when the run was dropped may have made a ticket: its answer is waited for, and remembered.
async fn remember_answers(api: &RememberedStarts, journal: &dyn Journal, patience: Duration) {
    let lying = api.settle(patience).await;
    let remembered = journal.remembered();
    let unheard = |ticket: &Ticket| {
        remembered.intents.contains(&ticket.item) && !remembered.open.contains(ticket)
    };
    for ticket in lying.into_iter().filter(unheard) {
        // What the journal cannot hold any more is still taken off the server, as far as time allows.
        if journal.record(Fact::Started { ticket }).await.is_err() {
            let _ = api.delete_export(ticket).await;
        }
    }
}

/// Whether a run that ended without a bag left something to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remains {
    Nothing,
    Something,
}

impl Remains {
    fn of(
        remembered: &Recovered,
        output: &OutputSettings,
        ended: &CommandError,
        run: Beginning,
    ) -> Self {
        let tickets = !remembered.open.is_empty() || !remembered.intents.is_empty();
        // Nobody repeats a command that was refused as it is, and the next one must not find another order's remains.
        let refused = matches!(
            Ending::of_error(ended),
            Ending::Usage | Ending::Unauthorized
        );
        if !tickets && refused && run == Beginning::New {
            return Self::Nothing;
        }
        // What is encrypted cannot be gone on with: its key is gone.
        let payload = !remembered.documents.is_empty() && !output.encryption.is_on();
        if tickets || payload {
            Self::Something
        } else {
            Self::Nothing
        }
    }

    /// Removes what is of no use, and says how to go on from what is.
    fn settle(self, session: &Session, target: Option<&Path>, ended: &CommandError) {
        let interrupted = matches!(ended, CommandError::Interrupted(_));
        match (self, target) {
            (Self::Nothing, Some(bag)) => {
                if let Ok(Some(leftovers)) = compose::leftovers(bag) {
                    if leftovers.complete {
                        // The signal came when the bag was being given its name.
                        return Self::Something.settle(session, target, ended);
                    }
                    let _ = leftovers.remove();
                }
                if interrupted {
                    session.voice.say("Interrupted. Nothing was left behind.");
                }
            }
            (_, None) if interrupted => {
                session
                    .voice
                    .say("Interrupted. What went to standard output is no complete bag.");
            }
            (Self::Something, Some(bag)) if interrupted => {
                let bag = bag.display().to_string();
                session.voice.say(&format!(
                    "Interrupted. What is here was kept: the same command goes on from there;\n\
                     `uforge-export discard {}` gives it up.",
                    printable(&bag)
                ));
            }
            (Self::Something, Some(_)) | (_, None) => {}
        }
    }
}

/// The interrupted run had only lacked the last step: nothing is asked of the platform but to forget its tickets.
async fn already_complete(
    session: &Session,
    api: &dyn UserDataApi,
    bag: FinishedBag,
    traces: Traces,
) -> Brought {
    withdraw(session, api, traces.journal(), TIDYING).await;
    session
        .voice
        .say("The run that was interrupted had completed the bag: it has its name now.");
    let completeness = bag
        .path
        .as_deref()
        .map_or(Completeness::Complete, told_completeness);
    Brought {
        bag: bag.path,
        completeness,
        traces,
    }
}

/// What the bag itself says. An encrypted one cannot be asked; it was finished, so it is a valid bag.
fn told_completeness(bag: &Path) -> Completeness {
    let listing = compose::open_bag(bag, None).and_then(compose::list);
    match listing.ok().and_then(|listing| listing.outcome).as_deref() {
        Some("partial") => Completeness::Partial,
        _ => Completeness::Complete,
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "outcome")]
struct OutcomeEvent<'a> {
    outcome: Completeness,
    bag: Option<&'a Path>,
    bytes: u64,
    sha256: Option<String>,
    failures: Vec<FailureEvent<'a>>,
}

#[derive(Serialize)]
struct FailureEvent<'a> {
    section: domain::model::Section,
    id: Option<i64>,
    name: Option<&'a str>,
    stage: domain::report::Stage,
    http_status: Option<u16>,
    message: &'a str,
    attempts: u32,
}

fn tell_outcome(session: &Session, outcome: &Outcome) {
    let report = &outcome.report;
    let partial = report.completeness == Completeness::Partial;
    match session.voice.listener() {
        Listener::QuietPerson if !partial => {}
        Listener::Person | Listener::QuietPerson => {
            session.voice.write(&summary(outcome, COLUMNS));
        }
        Listener::Program => session.voice.tell(OutcomeEvent {
            outcome: report.completeness,
            bag: outcome.bag.path.as_deref(),
            bytes: outcome.bag.bytes,
            sha256: outcome.bag.sha256.map(|sum| sum.to_string()),
            failures: report.failures.iter().map(failure_event).collect(),
        }),
    }
}

fn failure_event(failure: &Failure) -> FailureEvent<'_> {
    FailureEvent {
        section: failure.section,
        id: failure.id,
        name: failure.name.as_deref(),
        stage: failure.stage,
        http_status: failure.http_status,
        message: &failure.message,
        attempts: failure.attempts,
    }
}
