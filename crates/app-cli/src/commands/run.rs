//! One run, from the settings to the finished bag: shared by `export` and `demo`, so that the demo shows the real thing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::model::Order;
use domain::ports::{FinishedBag, Journal, JournalState, UserDataApi};
use domain::report::{Completeness, Failure, Outcome, summary};
use domain::workflow::{self, Ports};
use jiff::Timestamp;
use serde::Serialize;

use crate::compose::{
    self, ComposeError, OpenError, OpenRun, OpenedRun, RememberedStarts, RunFiles,
};
use crate::error::CommandError;
use crate::exit::Ending;
use crate::progress::{self, Subject};
use crate::render::{Listener, count, printable};
use crate::settings::{
    ConnectionSettings, Existing, OutputSettings, SelectionSettings, SettingsError, Target,
    UnfinishedPolicy, bag_name,
};
use crate::signals::Signals;
use crate::stdout;

use super::export::Brought;
use super::giving_up::{abandon, before_restart};
use super::{Session, order};

/// Somebody who stops a run waits this long at most; what is then still on the server is remembered.
const PARTING: Duration = Duration::from_secs(1);
/// Of that, so much for answers to starts that were on their way.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
/// A run that failed and cannot be resumed takes its tickets back with more patience.
const TIDYING: Duration = Duration::from_secs(20);
/// Summaries are set for this width.
const COLUMNS: usize = 80;
/// So many runs do not begin in one second.
const MOST_NAMES: u32 = 10_000;

/// Everything that a run is made from.
pub(super) struct Job {
    pub(super) connection: ConnectionSettings,
    pub(super) selection: SelectionSettings,
    pub(super) output: OutputSettings,
}

/// Refuses an output that no bag can go to, before a password is asked for. What an interrupted run has just published is its own.
pub(super) fn refuse_impossible(output: &OutputSettings) -> Result<(), CommandError> {
    match &output.target {
        Target::Stdout if !stdout::takes_a_bag() => Err(SettingsError::StdoutClosed.into()),
        Target::Stdout => Ok(()),
        Target::Folder(folder) => Ok(refuse_no_folder(folder)?),
        Target::File(path) => {
            match compose::check_target(path, output.existing) {
                Err(ComposeError::Open(OpenError::Exists { path })) => {
                    return Err(SettingsError::Exists { path }.into());
                }
                checked => checked?,
            }
            if output.existing == Existing::Refuse
                && path.symlink_metadata().is_ok()
                && compose::unfinished_at(path)?.is_none()
            {
                return Err(SettingsError::Exists { path: path.clone() }.into());
            }
            Ok(())
        }
    }
}

fn refuse_no_folder(folder: &Path) -> Result<(), SettingsError> {
    let problem = if folder.to_string_lossy().contains(['\n', '\r']) {
        "has a line break in its name"
    } else if folder.is_dir() {
        return Ok(());
    } else if Path::new(folder.components().as_path()).exists() {
        "is not a folder"
    } else {
        "is a folder that does not exist"
    };
    Err(SettingsError::NoFolder {
        path: folder.to_owned(),
        problem,
    })
}

/// Does the job. A signal ends it, takes its tickets off the server and keeps what can be resumed.
pub(super) async fn bring_home(
    session: &Session,
    signals: Signals,
    job: &Job,
) -> Result<Brought, CommandError> {
    let api = compose::platform(&job.connection)?;
    let place = place(session, job, &api).await?;
    let (opened, order) = open(job, &place)?;
    let run = match opened {
        OpenedRun::Ready(run) => run,
        OpenedRun::AlreadyComplete { bag, run_files } => {
            return Ok(already_complete(session, &api, bag, run_files).await);
        }
    };
    if run.resumed {
        let number = u64::try_from(run.sink.resumed_receipts().len()).unwrap_or(u64::MAX);
        let kept = count(number, "file is", "files are");
        session.voice.say(&format!(
            "Going on with the run that was interrupted: {kept} here already."
        ));
    }
    let (outcome, run_files) = drive(session, signals, job, &api, run, &order).await?;
    tell_outcome(session, &outcome);
    Ok(Brought {
        bag: outcome.bag.path,
        completeness: outcome.report.completeness,
        run_files,
    })
}

/// Where the bag goes.
enum Place {
    Stdout,
    /// Into the file that was asked for.
    Named(PathBuf),
    /// Into the file of an unfinished run that was found in the folder that was asked for.
    Found(PathBuf),
    /// Under a name that is made up.
    MadeUp,
}

fn order_for(job: &Job, file: &Path) -> Result<Order, SettingsError> {
    let name = bag_name(file, job.output.format)?;
    Ok(order::of_export(
        &job.connection,
        &job.selection,
        &job.output,
        name,
    ))
}

/// Decides where the bag goes. With `--restart`, an unfinished run there is given up.
async fn place(session: &Session, job: &Job, api: &dyn UserDataApi) -> Result<Place, CommandError> {
    let output = &job.output;
    let place = match &output.target {
        Target::Stdout => return Ok(Place::Stdout),
        Target::File(path) => Place::Named(path.clone()),
        Target::Folder(folder) => match unfinished_of_this_order(job, folder)? {
            Some(path) => Place::Found(path),
            None => return Ok(Place::MadeUp),
        },
    };
    if output.unfinished == UnfinishedPolicy::Resume {
        return Ok(place);
    }
    let (Place::Named(path) | Place::Found(path)) = &place else {
        return Ok(place);
    };
    match before_restart(session, &job.connection, api, path).await {
        // It is no unfinished run: it runs.
        Err(error) if matches!(place, Place::Found(_)) && is_at_work(&error) => {}
        given_up => given_up?,
    }
    Ok(match place {
        Place::Found(_) => Place::MadeUp,
        place => place,
    })
}

fn unfinished_of_this_order(job: &Job, folder: &Path) -> Result<Option<PathBuf>, CommandError> {
    let made_up = job
        .output
        .made_up_file(&job.connection.user, Timestamp::now(), 1);
    let fingerprint = order_for(job, &made_up)?.fingerprint();
    let encrypted = job.output.encryption.is_on();
    Ok(compose::unfinished_in(folder)?
        .into_iter()
        .find(|run| run.header.fingerprint == fingerprint && run.header.encrypted == encrypted)
        .map(|run| run.path))
}

/// Opens the bag, with the order that has the name of its top folder.
fn open(job: &Job, place: &Place) -> Result<(OpenedRun, Order), CommandError> {
    let open_at = |file: &Path, output: &OutputSettings| {
        let order = order_for(job, file)?;
        let opened = compose::archive(Some(file), &order, output)?;
        Ok::<_, CommandError>((opened, order))
    };
    match place {
        Place::Stdout => {
            let name = job
                .output
                .made_up_file(&job.connection.user, Timestamp::now(), 1);
            let order = order_for(job, &name)?;
            Ok((compose::archive(None, &order, &job.output)?, order))
        }
        Place::Named(path) => open_at(path, &job.output),
        // What was found may run, and be complete a moment later: its bag is not replaced.
        Place::Found(path) => match open_at(path, &without_replacing(&job.output)) {
            Err(error) if is_at_work(&error) || is_of_another(&error) => {
                open_under_made_up_name(job, open_at)
            }
            opened => opened,
        },
        Place::MadeUp => open_under_made_up_name(job, open_at),
    }
}

/// Nothing that has a made-up name is replaced, nor is an unfinished run given up for it.
fn without_replacing(output: &OutputSettings) -> OutputSettings {
    OutputSettings {
        existing: Existing::Refuse,
        unfinished: UnfinishedPolicy::Resume,
        ..output.clone()
    }
}

/// Another process writes that bag.
fn is_at_work(error: &CommandError) -> bool {
    matches!(
        error,
        CommandError::Compose(ComposeError::Open(
            OpenError::Locked { .. } | OpenError::Claimed { .. }
        ))
    )
}

/// What has the name, or the work folder of that name, is of another run, by now.
fn is_of_another(error: &CommandError) -> bool {
    matches!(
        error,
        CommandError::Compose(ComposeError::Open(
            OpenError::Exists { .. }
                | OpenError::IsFolder { .. }
                | OpenError::NotAFile { .. }
                | OpenError::OtherOrder { .. }
                | OpenError::Distrusted { .. }
        ))
    )
}

/// The first made-up name that no other bag or run has. Which run has a name is decided by the lock in its work folder; nothing that
/// is there already is replaced or given up, whatever the flags say of a name that was asked for.
fn open_under_made_up_name(
    job: &Job,
    open_at: impl Fn(&Path, &OutputSettings) -> Result<(OpenedRun, Order), CommandError>,
) -> Result<(OpenedRun, Order), CommandError> {
    let output = without_replacing(&job.output);
    let now = Timestamp::now();
    let name = |number| output.made_up_file(&job.connection.user, now, number);
    for number in 1..MOST_NAMES {
        let file = name(number);
        if compose::is_taken(&file) {
            continue;
        }
        match open_at(&file, &output) {
            Err(error) if is_at_work(&error) || is_of_another(&error) => {}
            opened => return opened,
        }
    }
    open_at(&name(MOST_NAMES), &output)
}

/// Runs the workflow against a signal.
async fn drive(
    session: &Session,
    mut signals: Signals,
    job: &Job,
    api: &RememberedStarts,
    run: OpenRun,
    order: &Order,
) -> Result<(Outcome, RunFiles), CommandError> {
    let OpenRun {
        sink,
        journal,
        run_files,
        target,
        resumed,
    } = run;
    let beginning = if resumed {
        PartialEntry::Resumed
    } else {
        PartialEntry::New
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
        Ok(Ok(outcome)) => return Ok((outcome, run_files)),
        Ok(Err(error)) => {
            remember_answers(api, journal.as_ref(), TIDYING).await;
            if target.is_none() {
                abandon(session, api, journal.as_ref(), TIDYING).await;
            }
            CommandError::Run(error)
        }
        Err(signal) => {
            signals.end_at_next();
            remember_answers(api, journal.as_ref(), LAST_ANSWERS).await;
            abandon(session, api, journal.as_ref(), PARTING).await;
            CommandError::Interrupted(signal)
        }
    };
    let remains = Remains::of(&journal.checkpoint(), &job.output, &ended, beginning);
    // The lock goes with the journal.
    drop((journal, run_files));
    remains.settle(session, target.as_deref(), &job.output, &ended);
    Err(match ended {
        CommandError::Run(error) if !remains.can_be_resumed(target.as_deref(), &job.output) => {
            CommandError::Lost(error)
        }
        ended => ended,
    })
}

/// Whether a run had an earlier one to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartialEntry {
    New,
    Resumed,
}

/// A start that was on its way when the run was dropped may have made a ticket: its answer is waited for, and remembered.
async fn remember_answers(api: &RememberedStarts, journal: &dyn Journal, patience: Duration) {
    let answered = api.settle(patience).await;
    workflow::record_answers(api, journal, answered).await;
}

/// Whether a run that ended without a bag left something to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remains {
    Nothing,
    Something,
}

impl Remains {
    fn of(
        checkpoint: &JournalState,
        output: &OutputSettings,
        ended: &CommandError,
        run: PartialEntry,
    ) -> Self {
        let tickets = checkpoint.may_have_tickets();
        // Nobody repeats a command that was refused as it is, and the next one must not find another order's remains.
        let refused = matches!(
            Ending::of_error(ended),
            Ending::Usage | Ending::Unauthorized
        );
        if !tickets && refused && run == PartialEntry::New {
            return Self::Nothing;
        }
        // What is encrypted cannot be gone on with: its key is gone.
        let payload = !checkpoint.documents.is_empty() && !output.encryption.is_on();
        if tickets || payload {
            Self::Something
        } else {
            Self::Nothing
        }
    }

    /// Whether the same command goes on where this one stopped. The key of what is encrypted is gone.
    fn can_be_resumed(self, target: Option<&Path>, output: &OutputSettings) -> bool {
        self == Self::Something && target.is_some() && !output.encryption.is_on()
    }

    /// Removes what is of no use, and says how to go on from what is.
    fn settle(
        self,
        session: &Session,
        target: Option<&Path>,
        output: &OutputSettings,
        ended: &CommandError,
    ) {
        let interrupted = matches!(ended, CommandError::Interrupted(_));
        match (self, target) {
            (Self::Nothing, Some(bag)) => {
                if let Ok(Some(unfinished)) = compose::lock_unfinished(bag) {
                    if unfinished.complete {
                        // The signal came when the bag was being given its name.
                        return session.say_kept(bag, "gives it its name", ended);
                    }
                    let _ = unfinished.remove();
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
            (Self::Something, Some(bag)) if output.encryption.is_on() => {
                session.say_kept(bag, "begins anew", ended);
            }
            (Self::Something, Some(bag)) => session.say_kept(bag, "goes on from there", ended),
            (_, None) => {}
        }
    }
}

impl Session {
    /// Says after an interruption what the same command does with what was kept.
    fn say_kept(&self, bag: &Path, what_follows: &str, ended: &CommandError) {
        if !matches!(ended, CommandError::Interrupted(_)) {
            return;
        }
        let bag = bag.display().to_string();
        self.voice.say(&format!(
            "Interrupted. What is here was kept: the same command {what_follows};\n\
             `uforge-export discard {}` gives it up.",
            printable(&bag)
        ));
    }
}

/// The interrupted run had only lacked the last step: nothing is asked of the platform but to forget its tickets.
async fn already_complete(
    session: &Session,
    api: &dyn UserDataApi,
    bag: FinishedBag,
    run_files: RunFiles,
) -> Brought {
    abandon(session, api, run_files.journal(), TIDYING).await;
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
        run_files,
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
    /// A path that is not Unicode has no other form in JSON.
    bag: Option<String>,
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
            bag: outcome
                .bag
                .path
                .as_ref()
                .map(|path| path.display().to_string()),
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
