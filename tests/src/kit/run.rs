//! Runs of bags in temporary folders.

use std::path::Path;

use adapters_archive::{
    OpenRun, OpenedRun, Replace, RunSettings, Target, UnfinishedPolicy, WholeSum, open_run,
};
use domain::model::{BagFormat, SafeName, Sha256, UserId};

/// Settings for a bag of this name in this folder.
///
/// # Panics
///
/// Where the name is none.
pub fn settings(folder: &Path, format: BagFormat) -> RunSettings {
    RunSettings {
        target: Target::File {
            path: folder.join(format!("bag.{}", format.ending())),
            replace: Replace::Refuse,
        },
        format,
        top: SafeName::parse("bag").expect("a name"),
        fingerprint: Sha256::of(b"an order"),
        user: UserId::parse("john").expect("a login"),
        source: "https://uforge.example.com/api".to_owned(),
        encryption: None,
        whole_sum: WholeSum::None,
        unfinished: UnfinishedPolicy::Resume,
    }
}

/// Opens a run.
///
/// # Panics
///
/// Where it cannot be opened, or is complete already.
pub fn open(settings: RunSettings) -> OpenRun {
    match open_run(settings).expect("a run") {
        OpenedRun::Ready(run) => run,
        OpenedRun::AlreadyComplete { bag, .. } => panic!("complete already: {bag:?}"),
    }
}
