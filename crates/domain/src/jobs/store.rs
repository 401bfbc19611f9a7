//! Where jobs are recorded, claimed and settled.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use thiserror::Error;

use super::{Claim, Job, JobFailure, JobId, JobProgress, JobStateName, Lease, Renewed, Transfer};
use super::{Delivery, Version, WaitingFor, Wish, WorkerId, WrongState};
use crate::model::UserId;

/// A job as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// The job.
    pub job: Job,
    /// Which state of it this is.
    pub version: Version,
}

/// A part of a list of jobs, newest request first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPage {
    /// The job that the part begins after; `None` for the newest.
    pub after: Option<JobId>,
    /// Jobs wanted.
    pub limit: usize,
}

/// Whose jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those that this person asked for.
    Of(UserId),
    /// Everybody's: for administrators.
    Everybodys,
}

/// How much of the service one person, and all together, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Jobs of one person that are queued, running or waiting.
    pub unfinished: usize,
    /// Jobs in all that are queued, running or waiting.
    pub unfinished_in_all: usize,
    /// Orders of one person within a day.
    pub orders_a_day: usize,
    /// Archives of one person that are kept. Jobs that are under way do not count: they wait in the queue while so many are kept.
    pub archives: usize,
}

/// What the store has of one person and of all together, at the moment of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Jobs of the person that are queued, running or waiting.
    pub unfinished: usize,
    /// The same of everybody.
    pub unfinished_in_all: usize,
    /// When the person gave their orders of the last day, oldest first.
    pub orders: Vec<Timestamp>,
    /// Archives of the person that are kept, oldest first.
    pub archives: Vec<JobId>,
}

impl Shares {
    /// Orders are counted for so long.
    pub const DAY: Duration = Duration::from_hours(24);

    /// What a person should know of an order that is taken: it may have to wait for one of their own archives to go.
    pub fn remark(&self, standing: &Standing) -> Option<String> {
        let archives = standing.archives.len() + standing.unfinished;
        (archives >= self.archives).then(|| {
            format!(
                "it does not begin as long as {} archives of its owner are kept",
                self.archives
            )
        })
    }

    /// Whether one more order is within the shares.
    pub fn check(&self, standing: Standing, now: Timestamp) -> Result<(), JobStoreError> {
        let given = standing.orders.len();
        if given >= self.orders_a_day {
            // The next one is taken when so many are older than a day that this one is within the share.
            let last = standing.orders.get(given - self.orders_a_day);
            let age = last.map_or(Duration::ZERO, |at| now.duration_since(*at).unsigned_abs());
            return Err(JobStoreError::TooManyOrders {
                limit: self.orders_a_day,
                wait: Self::DAY.saturating_sub(age),
            });
        }
        if standing.archives.len() >= self.archives {
            return Err(JobStoreError::TooManyArchives {
                archives: standing.archives,
            });
        }
        if standing.unfinished >= self.unfinished {
            let limit = self.unfinished;
            return Err(JobStoreError::TooManyUnfinished { limit });
        }
        if standing.unfinished_in_all >= self.unfinished_in_all {
            let limit = self.unfinished_in_all;
            return Err(JobStoreError::Full { limit });
        }
        Ok(())
    }
}

/// What a worker may claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// Jobs of a person of whom so many archives are kept wait, unless something is wanted of them.
    pub archives: usize,
    /// Whether it may be a job of a campaign. Where a worker keeps a place for people who ask for themselves, it may not be.
    pub campaigns: bool,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is a new job.
    New(StoredJob),
    /// The same person's same order is under way already.
    Same(StoredJob),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a bag.
    Delivered {
        /// What there is.
        delivery: Delivery,
        /// `export.json` as it stands in the bag: it may have megabytes.
        report: Bytes,
        /// How long the bag is kept.
        keep: Duration,
    },
    /// Without a bag; an unfinished run that a retry can resume is kept for so long.
    Failed(JobFailure, Option<Duration>),
    /// It was given up on request.
    Cancelled,
}

impl Ending {
    /// The report of what there is.
    pub fn report(&self) -> Option<&Bytes> {
        match self {
            Self::Delivered { report, .. } => Some(report),
            Self::Failed(..) | Self::Cancelled => None,
        }
    }

    /// Running → over, at this moment by the store's clock.
    pub fn apply(self, job: &mut Job, at: Timestamp) -> Result<(), WrongState> {
        match self {
            Self::Delivered { delivery, keep, .. } => {
                let ready = at;
                job.deliver(Delivery { ready, ..delivery }, keep)
            }
            Self::Failed(failure, resumable_for) => job.fail(failure, at, resumable_for),
            Self::Cancelled => job.cancel(at),
        }
    }
}

/// Why a run cannot go on now, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What it waits for.
    pub waiting_for: WaitingFor,
    /// When it is tried again by itself; `None` where only its owner can help.
    pub retry_after: Option<Duration>,
    /// How long it may wait in all, from its first pause since its run last made progress.
    pub give_up_after: Duration,
}

impl Pause {
    /// Running → waiting, at this moment by the store's clock. Where something is wanted of the job, it is queued instead, so that
    /// whoever claims it sees the wish.
    pub fn apply(self, job: &mut Job, wish: Option<Wish>, at: Timestamp) -> Result<(), WrongState> {
        let retry = self.retry_after.map(|after| at.checked_add(after));
        let retry = retry.map(|retry| retry.unwrap_or(Timestamp::MAX));
        job.pause(self.waiting_for, retry, at, self.give_up_after)?;
        match wish {
            Some(Wish::Cancel) => job.queue_again(),
            None => Ok(()),
        }
    }
}

/// Something changed. A hint: who reads it looks at the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This job changed, or its progress.
    Job(JobId),
    /// Changes may have been missed: look at everything.
    Resync,
}

/// Why jobs could not be recorded or found.
#[derive(Debug, Error)]
pub enum JobStoreError {
    /// A job of this id is there already.
    #[error("job `{id}` exists already")]
    Exists {
        /// Which.
        id: JobId,
    },
    /// No job of this id is there, or it is somebody else's.
    #[error("there is no job `{id}`")]
    Unknown {
        /// Which.
        id: JobId,
    },
    /// The job has changed since it was read.
    #[error("job `{id}` was changed by somebody else")]
    Conflict {
        /// Which.
        id: JobId,
    },
    /// The lease is not held any more: somebody else runs the job, or it is over.
    #[error("the lease of job `{id}` is lost")]
    Lost {
        /// Which.
        id: JobId,
    },
    /// Its owner has too many jobs under way.
    #[error("its owner has {limit} jobs under way")]
    TooManyUnfinished {
        /// How many are allowed.
        limit: usize,
    },
    /// Its owner gave too many orders.
    #[error("its owner gave {limit} orders within a day")]
    TooManyOrders {
        /// How many are allowed.
        limit: usize,
        /// When the next one is taken.
        wait: Duration,
    },
    /// Its owner has too many archives.
    #[error("{} archives of its owner are kept", archives.len())]
    TooManyArchives {
        /// Those that are kept, oldest first.
        archives: Vec<JobId>,
    },
    /// Too many jobs are under way in all.
    #[error("{limit} jobs are under way")]
    Full {
        /// How many are allowed.
        limit: usize,
    },
    /// There is no space left for records: later there may be.
    #[error("there is no space left for records")]
    NoSpace(#[source] Box<dyn StdError + Send + Sync>),
    /// The store cannot be reached or does not work.
    #[error("the store of jobs does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Records jobs, and says who runs which.
///
/// Whoever asks for an owner's job gives the owner: somebody else's job is [`JobStoreError::Unknown`], as if it were not there.
/// Durations cross this port, and the store's own clock makes instants of them: clocks of several machines differ.
///
/// A job is run under a lease. Every write of a run carries it, and a write with a lease that is lost changes nothing and is
/// [`JobStoreError::Lost`], also where it races the next claim.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Takes an order, if it is within the shares. All of it is one step: of two orders at the same time that would exceed a share
    /// together, one is refused; of two equal ones, the second is [`Admitted::Same`]. A job that is to be given up is no equal one.
    /// When the job was requested is decided by the store's clock.
    async fn admit(&self, job: Job, shares: &Shares) -> Result<Admitted, JobStoreError>;

    /// An owner's job.
    async fn get(&self, owner: &UserId, id: &JobId) -> Result<StoredJob, JobStoreError>;

    /// Anybody's job: for administrators and for the service itself.
    async fn find(&self, id: &JobId) -> Result<StoredJob, JobStoreError>;

    /// Jobs, newest request first. Where the job to begin after is not among them, [`JobStoreError::Unknown`].
    async fn list(&self, whose: &Whose, page: JobPage) -> Result<Vec<StoredJob>, JobStoreError>;

    /// The report of a job that was delivered; `None` where there is none. It stays when the bag is gone.
    async fn report(&self, id: &JobId) -> Result<Option<Bytes>, JobStoreError>;

    /// How many jobs are in each state; states without one are left out.
    async fn count(&self) -> Result<Vec<(JobStateName, u64)>, JobStoreError>;

    /// Every job that is queued, running or waiting, and whose it is; without those of campaigns, which may be many.
    async fn unfinished(&self) -> Result<Vec<(JobId, UserId)>, JobStoreError>;

    /// Replaces a job that nobody runs. Where it has changed since `seen`, or is run, [`JobStoreError::Conflict`], and nothing
    /// happens. Downloads are left as they stand in the store.
    async fn update(&self, seen: Version, job: Job) -> Result<StoredJob, JobStoreError>;

    /// Adds a transfer to a job's downloads, whatever state it is in. Its version stays as it is.
    async fn record_transfer(&self, id: &JobId, transfer: Transfer) -> Result<(), JobStoreError>;

    /// Ready jobs whose time is over.
    async fn overdue(&self) -> Result<Vec<StoredJob>, JobStoreError>;

    /// Failed jobs whose unfinished run is not kept any longer, and waiting jobs that are to be given up.
    async fn given_up(&self) -> Result<Vec<StoredJob>, JobStoreError>;

    /// Takes the job that is next, for `term`; `None` where there is none. Claimed once, whoever else asks at the same time.
    ///
    /// First those whose lease ran out, then queued ones and waiting ones whose time has come. Of one person at most one job runs at a
    /// time, and the person who was served the longest ago is next. Jobs of a person wait while as many of their archives are kept as
    /// [`ClaimLimits`] says. A claim of a job whose lease ran out counts one more [death](Job::deaths).
    ///
    /// Jobs of campaigns come after those that people asked for themselves, count nothing against their shares, and do not keep them
    /// from running. The campaign with the fewest running jobs is next; of a paused one only jobs that have begun before.
    async fn claim(
        &self,
        worker: &WorkerId,
        term: Duration,
        limits: ClaimLimits,
    ) -> Result<Option<Claim>, JobStoreError>;

    /// Takes a job whose lease ran out, or that was given back and still has [slots](super::Slots) of the platform, and no other; `None` where
    /// there is none. A worker whose places are taken by jobs that wait for the slots of others resumes those.
    async fn take_over(
        &self,
        worker: &WorkerId,
        term: Duration,
    ) -> Result<Option<Claim>, JobStoreError>;

    /// Renews leases for `term` from now. What does not come back is lost.
    async fn renew(&self, held: &[Lease], term: Duration) -> Result<Vec<Renewed>, JobStoreError>;

    /// Gives a job back to be run again at once: the process ends in order. No death is counted.
    async fn give_back(&self, lease: &Lease) -> Result<(), JobStoreError>;

    /// Lets a job wait. Notes are added to its record. Where something is wanted of the job, it is queued instead.
    async fn pause(
        &self,
        lease: &Lease,
        pause: Pause,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError>;

    /// Ends a job's run. Notes are added to its record. Its sealed credentials go with it, where this store keeps them.
    async fn settle(
        &self,
        lease: &Lease,
        ending: Ending,
        notes: Vec<String>,
    ) -> Result<StoredJob, JobStoreError>;

    /// Jobs that wait for a sign-in are queued again: those of a person who signed in, with those of campaigns that they ordered, or
    /// everybody's, where the service can sign in for all. Gives how many.
    async fn signed_in(&self, whose: &Whose) -> Result<u64, JobStoreError>;

    /// Says what somebody wants of a job: its owner or, for one of a campaign, an administrator. One that nobody runs is queued again with
    /// the wish, so that whoever claims it sees it. A job that is over is [`JobStoreError::Conflict`].
    async fn wish(
        &self,
        owner: &UserId,
        id: &JobId,
        wish: Wish,
        by: &UserId,
    ) -> Result<(), JobStoreError>;

    /// Records how far runs are, for those who watch from elsewhere. Leases that are lost are left out; it cannot fail a run.
    ///
    /// A run that has [more bytes](JobProgress::bytes) than any run of its job before has made progress: its deaths are forgotten, and
    /// the time that it may wait in all begins anew. So does a run that has new [records](super::RunRecords), where the store keeps them.
    async fn record_progress(&self, progress: &[(Lease, JobProgress)])
    -> Result<(), JobStoreError>;

    /// How far a run is, as recorded last: its serial number and the progress; `None` where nothing was recorded.
    async fn progress(&self, id: &JobId) -> Result<Option<(u64, JobProgress)>, JobStoreError>;

    /// All leases are void at once: for a store that one process has for itself, when it starts. Jobs that were running are queued,
    /// with one more death each. Gives how many.
    async fn void_leases(&self) -> Result<u64, JobStoreError>;

    /// What changes from now on. Never ends.
    fn changes(&self) -> BoxStream<'static, Change>;

    /// The moment it is, by the store's clock.
    async fn now(&self) -> Result<Timestamp, JobStoreError>;
}
