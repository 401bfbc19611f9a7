//! What a process does, and by which numbers it goes.

use domain::jobs::{Job, WorkerId};

use crate::runner::{Duty, Terms};
use crate::settings::Settings;

/// What the runner of a process with these settings goes by.
pub(crate) fn terms(settings: &Settings) -> Terms {
    let (worker, duty, deaths) = match &settings.fleet {
        None => {
            let drawn = format!("{}-{}", std::process::id(), uuid::Uuid::now_v7());
            (drawn, Duty::Alone, Job::DEATHS)
        }
        Some(fleet) => {
            let duty = if fleet.role.runs() {
                Duty::Runs
            } else {
                Duty::Serves
            };
            (fleet.process.clone(), duty, Terms::DEATHS_AMONG_MANY)
        }
    };
    Terms {
        worker: WorkerId::of(&worker),
        duty,
        deaths,
        places: settings.jobs.get(),
        keep_archive: settings.keep_archive,
        give_up_after: settings.give_up_after,
        store_limit: settings.store_limit,
        shares: Terms::SHARES,
        pace: settings.pace,
    }
}
