//! One run, from the settings to the finished bag: shared by `export` and `demo`, so that the demo shows the real thing.

use std::time::Duration;

use domain::model::Order;
use domain::ports::{ArchiveSink, FinishedBag, Journal, UserDataApi};
use domain::report::Outcome;
use domain::workflow::{self, Ports, RunError};

use super::abandon::abandon;
use super::job::Job;
use super::outcome::{Finished, report_outcome, report_recorded};
use super::receipt::{self, ReceiptJob};
use super::session::Session;
use super::target::{open, place};
use super::unfinished::{Resumable, RunStart};
use crate::compose::{self, OpenRun, OpenedRun, RunFiles, TrackedStarts};
use crate::error::CommandError;
use crate::progress::{self, Subject};
use crate::render::{count, number};
use crate::signals::Signals;

/// An interrupted program ends within two seconds of the signal. The display, the answers and the deletion of tickets share this
/// much of them; the rest is for the threads (`SHUTDOWN`) and the end of the process.
const AFTER_SIGNAL: Duration = Duration::from_millis(1_700);
/// Answers to starts that were sent are waited for first. What the deletion of tickets then has no time for is on the server
/// still, and in the journal.
const ANSWERS_AFTER_SIGNAL: Duration = Duration::from_millis(500);
/// Without a signal: the same for answers to starts, and for the deletion of tickets.
const CLEAN_UP: Duration = Duration::from_secs(20);

/// Makes the bag. A signal ends it, deletes its tickets from the server and keeps what can be resumed.
pub(super) async fn export(
    session: &Session,
    mut signals: Signals,
    job: &Job,
) -> Result<Finished, CommandError> {
    let api = compose::platform(&job.connection)?;
    let place = match signals.or(place(session, job, &api)).await {
        Ok(place) => place?,
        Err(signal) => {
            session.messages.info(
                "Interrupted. The earlier run was kept: the same command gives it up, without `--restart` it is resumed.",
            );
            return Err(CommandError::Interrupted(signal));
        }
    };
    let (opened, order) = open(job, &place)?;
    let run = match opened {
        OpenedRun::Ready(run) => with_free_receipt(job, run)?,
        OpenedRun::AlreadyComplete { bag, run_files } => {
            return already_complete(session, signals, job, &api, bag, run_files).await;
        }
    };
    if run.resumed {
        let kept = number(run.sink.resumed_receipts().len());
        let kept = count(kept, "file is", "files are");
        session.messages.info(&format!(
            "Resuming the run that was interrupted: {kept} here already."
        ));
    }
    let (outcome, run_files, signals) = drive(session, signals, job, &api, run, &order).await?;
    let written = receipt::write(session, signals, job.receipt(), &outcome.bag, &run_files).await;
    report_outcome(session, &outcome);
    receipt::report(session, written?);
    Ok(Finished {
        bag: outcome.bag.path,
        completeness: outcome.report.completeness,
        run_files,
    })
}

/// Refuses a run whose receipt would have the name of another file. Nothing has been sent for it; a new one leaves nothing behind.
fn with_free_receipt(job: &Job, run: OpenRun) -> Result<OpenRun, CommandError> {
    let Some(Err(refused)) = job.receipt.as_ref().map(ReceiptJob::check_free) else {
        return Ok(run);
    };
    let OpenRun {
        sink,
        journal,
        run_files,
        resumed,
        ..
    } = run;
    drop((sink, journal));
    if !resumed {
        run_files.remove();
    }
    Err(refused)
}

/// Runs the workflow until it ends or a signal comes. Where it ends without a bag, what can be resumed is kept.
async fn drive(
    session: &Session,
    mut signals: Signals,
    job: &Job,
    api: &TrackedStarts,
    run: OpenRun,
    order: &Order,
) -> Result<(Outcome, RunFiles, Signals), CommandError> {
    let OpenRun {
        sink,
        journal,
        run_files,
        target,
        resumed,
    } = run;
    let start = if resumed {
        RunStart::Resumed
    } else {
        RunStart::New
    };
    let target = target.as_deref();
    let work = watched(session, job, api, journal.as_ref(), sink, order);
    let ended = match signals.or(work).await {
        Ok(Ok(outcome)) => return Ok((outcome, run_files, signals)),
        Ok(Err(error)) => {
            // A bag on standard output cannot be resumed.
            let gives_up = target.is_none();
            let clean_up = clean_up(session, api, journal.as_ref(), gives_up);
            if signals.or(clean_up).await.is_err() {
                clean_up_after_signal(session, signals, api, journal.as_ref(), gives_up).await;
            }
            CommandError::Run(error)
        }
        Err(signal) => {
            clean_up_after_signal(session, signals, api, journal.as_ref(), true).await;
            CommandError::Interrupted(signal)
        }
    };
    let resumable = Resumable::of(&journal.checkpoint(), &job.output, &ended, start);
    // The lock goes with the journal.
    drop((journal, run_files));
    resumable.settle(session, target, &job.output, &ended);
    Err(match ended {
        CommandError::Run(error) if !resumable.can_be_resumed(target, &job.output) => {
            CommandError::Lost(error)
        }
        ended => ended,
    })
}

/// Records the answers to starts that were sent, and deletes the run's tickets where it `gives_up`.
async fn clean_up(session: &Session, api: &TrackedStarts, journal: &dyn Journal, gives_up: bool) {
    record_answers(session, api, journal, CLEAN_UP).await;
    if gives_up {
        abandon(session, api, journal, CLEAN_UP).await;
    }
}

/// The same within what is left of the two seconds.
async fn clean_up_after_signal(
    session: &Session,
    signals: Signals,
    api: &TrackedStarts,
    journal: &dyn Journal,
    gives_up: bool,
) {
    // From the moment of the signal: the display may have taken long to disappear.
    let deadline = signals.deadline(AFTER_SIGNAL);
    signals.end_at_next();
    let patience = deadline.at_most(ANSWERS_AFTER_SIGNAL);
    record_answers(session, api, journal, patience).await;
    if gives_up {
        abandon(session, api, journal, deadline.at_most(AFTER_SIGNAL)).await;
    }
}

/// The workflow with its progress on the screen. When this future is dropped, the display disappears.
async fn watched(
    session: &Session,
    job: &Job,
    api: &TrackedStarts,
    journal: &dyn Journal,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    let subject = Subject {
        user: job.connection.user.to_string(),
        preposition: "from",
        host: job.connection.server.host.clone(),
    };
    let mode = session.progress(job.output.progress);
    let reporter = progress::start(mode, subject, &session.screen);
    let ports = Ports {
        api,
        clock: &compose::clock(),
        journal,
        progress: &reporter,
    };
    match &job.earlier {
        Some(earlier) => workflow::export_since(ports, earlier.since(), sink, order).await,
        None => workflow::export(ports, sink, order).await,
    }
}

/// A start that was sent before the run was dropped may have made a ticket: its answer is waited for, and recorded.
async fn record_answers(
    session: &Session,
    api: &TrackedStarts,
    journal: &dyn Journal,
    patience: Duration,
) {
    let answered = api.settle(patience).await;
    for (ticket, error) in workflow::record_answers(api, journal, answered).await {
        session
            .messages
            .warn(&format!("{ticket} is left on the server: {error}"));
    }
}

/// The interrupted run had completed its bag: only its tickets are deleted, and the receipt is written.
async fn already_complete(
    session: &Session,
    mut signals: Signals,
    job: &Job,
    api: &dyn UserDataApi,
    bag: FinishedBag,
    run_files: RunFiles,
) -> Result<Finished, CommandError> {
    let deletion = abandon(session, api, run_files.journal(), CLEAN_UP);
    if let Err(signal) = signals.or(deletion).await {
        session.messages.info(
            "Interrupted. The bag is complete: the same command deletes the tickets that are left.",
        );
        return Err(CommandError::Interrupted(signal));
    }
    session
        .messages
        .info("The run that was interrupted had completed the bag: it has its name now.");
    let written = receipt::write(session, signals, job.receipt(), &bag, &run_files).await;
    let is_partial = run_files.journal().checkpoint().is_partial;
    let completeness = report_recorded(session, &bag, is_partial);
    receipt::report(session, written?);
    Ok(Finished {
        bag: bag.path,
        completeness,
        run_files,
    })
}

#[cfg(test)]
mod tests {
    use super::super::session::SHUTDOWN;
    use super::*;

    #[test]
    fn an_interrupted_program_ends_within_two_seconds() {
        let process = Duration::from_millis(100);
        assert!(AFTER_SIGNAL + SHUTDOWN + process <= Duration::from_secs(2));
    }
}
