//! Where the bag goes: into the file that was asked for, one of an unfinished run, or one with a name that is made up.

use std::path::{Path, PathBuf};

use domain::model::Order;
use domain::ports::UserDataApi;
use jiff::Timestamp;

use super::abandon::before_restart;
use super::job::Job;
use super::session::Session;
use crate::compose::{self, ComposeError, OpenError, OpenedRun};
use crate::error::CommandError;
use crate::settings::{Existing, OutputSettings, SettingsError, Target, UnfinishedPolicy};
use crate::stdout;

/// How many names are tried. So many runs never begin in the same second.
const MOST_NAMES: u32 = 10_000;

/// Refuses an output that no bag can go to, before a password is asked for. A file that an interrupted run of this bag has just
/// published is no reason to refuse.
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

/// Where the bag goes.
pub(super) enum Place {
    Stdout,
    /// Into the file that was asked for.
    Named(PathBuf),
    /// Into the file of an unfinished run that was found in the folder that was asked for.
    Found(PathBuf),
    /// Under a name that is made up.
    MadeUp,
}

/// Decides where the bag goes. With `--restart`, an unfinished run there is abandoned.
pub(super) async fn place(
    session: &Session,
    job: &Job,
    api: &dyn UserDataApi,
) -> Result<Place, CommandError> {
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
        // Another process is still making it, so it is not unfinished.
        Err(error) if matches!(place, Place::Found(_)) && is_at_work(&error) => {}
        abandoned => abandoned?,
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
    let fingerprint = job.order_for(&made_up)?.fingerprint();
    let encrypted = job.output.encryption.is_on();
    Ok(compose::unfinished_in(folder)?
        .into_iter()
        .find(|run| run.header.fingerprint == fingerprint && run.header.encrypted == encrypted)
        .map(|run| run.path))
}

/// Opens the bag, with the order that has the name of its top folder.
pub(super) fn open(job: &Job, place: &Place) -> Result<(OpenedRun, Order), CommandError> {
    let open_at = |file: &Path, output: &OutputSettings| {
        let order = job.order_for(file)?;
        let opened = compose::archive(Some(file), &order, output)?;
        Ok::<_, CommandError>((opened, order))
    };
    match place {
        Place::Stdout => {
            let name = job
                .output
                .made_up_file(&job.connection.user, Timestamp::now(), 1);
            let order = job.order_for(&name)?;
            Ok((compose::archive(None, &order, &job.output)?, order))
        }
        Place::Named(path) => open_at(path, &job.output),
        // The run that was found may still be at work, and its bag complete a moment later: it is not replaced.
        Place::Found(path) => match open_at(path, &without_replacing(&job.output)) {
            Err(error) if is_at_work(&error) || belongs_to_another_run(&error) => {
                open_under_made_up_name(job, open_at)
            }
            opened => opened,
        },
        Place::MadeUp => open_under_made_up_name(job, open_at),
    }
}

/// For made-up names: no file is replaced and no unfinished run abandoned.
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

/// The name, or the work folder of that name, belongs to another run by now.
fn belongs_to_another_run(error: &CommandError) -> bool {
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
/// is there already is replaced or abandoned, whatever the flags say of a name that was asked for.
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
            Err(error) if is_at_work(&error) || belongs_to_another_run(&error) => {}
            opened => return opened,
        }
    }
    open_at(&name(MOST_NAMES), &output)
}
