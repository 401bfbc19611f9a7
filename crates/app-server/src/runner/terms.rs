//! The times and numbers that runs go by.

use std::time::Duration;

use domain::jobs::{Shares, WorkerId};

/// The times that the service goes by, other than those that operators set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// For how long a job is claimed; claims are renewed every third of it.
    pub lease: Duration,
    /// The first pause of a job whose run cannot go on. Each is longer than the one before.
    pub first_pause: Duration,
    /// The longest pause of such a job.
    pub longest_pause: Duration,
    /// How often progress is recorded.
    pub record_every: Duration,
    /// How often jobs whose time has come are looked for.
    pub look_every: Duration,
    /// How often what is over is deleted.
    pub sweep_every: Duration,
    /// How often one of many processes looks for what another left when it died: files and tickets of jobs that are over.
    pub clean_up_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(1),
            first_pause: Duration::from_mins(1),
            longest_pause: Duration::from_mins(15),
            record_every: Duration::from_millis(100),
            look_every: Duration::from_secs(2),
            sweep_every: Duration::from_secs(20),
            clean_up_every: Duration::from_mins(5),
        }
    }
}

impl Pace {
    /// Of a process among many, whose leases have this term.
    pub(crate) fn among_many(lease: Duration) -> Self {
        let usual = Self::default();
        Self {
            lease,
            record_every: Duration::from_secs(1),
            // A job is taken over within two terms.
            look_every: usual.look_every.min(lease / 3),
            ..usual
        }
    }
}

/// Which of the service's tasks a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// All of it: the stores are its alone.
    Alone,
    /// It runs jobs, beside others.
    Runs,
    /// It runs nothing: others do.
    Serves,
}

/// The settings of a runner.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Who claims jobs.
    pub(crate) worker: WorkerId,
    /// What this process does of what there is to do.
    pub(crate) duty: Duty,
    /// A job in whose run the process died so often without progress is failed instead of being run again.
    pub(crate) deaths: u32,
    /// Jobs that run at the same time.
    pub(crate) places: usize,
    /// How long a bag is kept.
    pub(crate) keep_archive: Duration,
    /// How long a job waits for the platform or for disk space before it is given up.
    pub(crate) give_up_after: Duration,
    /// Bytes that all jobs may take on disk.
    pub(crate) store_limit: Option<u64>,
    /// Shares of one person and of all together.
    pub(crate) shares: Shares,
    /// Times.
    pub(crate) pace: Pace,
}

impl Terms {
    /// How long a failed job keeps what a retry resumes.
    pub(crate) const FAILED_RUN_KEPT: Duration = Duration::from_hours(24);
    /// How long a job waits for its owner: as long as an answer to them may take.
    pub(crate) const WAIT_FOR_OWNER: Duration = Duration::from_hours(30 * 24);
    /// Deaths without progress after which a job of a service with many workers is failed: a worker that is killed takes jobs with it that
    /// did it no harm.
    pub(crate) const DEATHS_AMONG_MANY: u32 = 5;
    /// Bytes that have to be free before a run begins: the service's own records need some too.
    pub(crate) const FREE_BYTES: u64 = 16 * 1024 * 1024;
    /// Shares of one person and of all together.
    pub(crate) const SHARES: Shares = Shares {
        unfinished: 10,
        unfinished_in_all: 1_000,
        orders_a_day: 20,
        archives: 3,
    };
}
