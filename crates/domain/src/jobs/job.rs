//! The job as a state machine. Time is an argument; nothing in here waits, reads or writes.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{JobId, JobRequest};
use crate::model::{BagFormat, SafeName, Sha256, UserId};
use crate::report::Completeness;

/// A finished bag, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BagRecord {
    /// Its file name.
    pub name: SafeName,
    /// Its container.
    pub format: BagFormat,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: Sha256,
}

/// What a run exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When the bag was ready.
    pub ready: Timestamp,
    /// The bag.
    pub bag: BagRecord,
    /// Whether everything asked for is in it.
    pub completeness: Completeness,
    /// `export.json` as it stands in the bag. Stays when the bag is gone.
    pub report: Bytes,
}

/// Why there is no bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// What went wrong, with its causes, in words that name no secret.
    pub message: String,
    /// What a person can do, where something is known.
    pub hint: Option<String>,
}

/// Where a job is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits for a free place.
    Queued,
    /// Its run is under way.
    Running,
    /// Its bag can be had.
    Ready {
        /// What there is.
        delivery: Delivery,
        /// Until when.
        expires: Timestamp,
    },
    /// Its run ended without a bag.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        failure: JobFailure,
    },
    /// It was given up on request.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// Its bag was kept as long as promised and is gone.
    Expired {
        /// What there was.
        delivery: Delivery,
        /// When it went.
        at: Timestamp,
    },
    /// Its bag was deleted on request.
    Deleted {
        /// What there was.
        delivery: Delivery,
        /// When it went.
        at: Timestamp,
    },
}

/// The name of a state, for people, programs and database columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the JobState of its name")]
pub enum JobStateName {
    Queued,
    Running,
    Ready,
    Failed,
    Cancelled,
    Expired,
    Deleted,
}

impl fmt::Display for JobStateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
        })
    }
}

/// A step that a job cannot take from where it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("job `{id}` cannot {step}: it is {state}")]
pub struct WrongState {
    /// Which job.
    pub id: JobId,
    /// What was tried: a verb.
    pub step: &'static str,
    /// Where it is.
    pub state: JobStateName,
}

/// One transfer of a bag, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadRecord {
    /// When the transfer ended.
    pub at: Timestamp,
    /// Who fetched it.
    pub by: UserId,
    /// The network address that it went to.
    pub from: String,
    /// The first byte asked for.
    pub offset: u64,
    /// Bytes handed over.
    pub bytes: u64,
    /// Whether all bytes asked for were handed over.
    pub complete: bool,
}

/// One order given to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Who asked, and who alone may see it.
    pub owner: UserId,
    /// What was asked for.
    pub request: JobRequest,
    /// When.
    pub requested: Timestamp,
    /// When its run began.
    pub began: Option<Timestamp>,
    /// Where it is in its life.
    pub state: JobState,
    /// What a person should know beside the state: tickets that could not be taken back, and the like.
    pub notes: Vec<String>,
    /// The latest transfers of its bag, oldest first: at most [`Job::DOWNLOADS_KEPT`].
    pub downloads: Vec<DownloadRecord>,
    /// All transfers that were ever recorded.
    pub downloads_total: u64,
}

impl Job {
    /// Transfers that are recorded one by one.
    pub const DOWNLOADS_KEPT: usize = 100;

    /// A job that waits for a free place.
    pub fn new(id: JobId, owner: UserId, request: JobRequest, requested: Timestamp) -> Self {
        Self {
            id,
            owner,
            request,
            requested,
            began: None,
            state: JobState::Queued,
            notes: Vec::new(),
            downloads: Vec::new(),
            downloads_total: 0,
        }
    }

    /// When an answer is due: one calendar month after the request, in UTC (GDPR article 12(3)).
    pub fn due(&self) -> Timestamp {
        self.requested
            .to_zoned_datetime(TimeZone::UTC)
            .checked_add(1.month())
            .map_or(Timestamp::MAX, |due| due.timestamp())
    }

    /// The name of its state.
    pub fn state_name(&self) -> JobStateName {
        match self.state {
            JobState::Queued => JobStateName::Queued,
            JobState::Running => JobStateName::Running,
            JobState::Ready { .. } => JobStateName::Ready,
            JobState::Failed { .. } => JobStateName::Failed,
            JobState::Cancelled { .. } => JobStateName::Cancelled,
            JobState::Expired { .. } => JobStateName::Expired,
            JobState::Deleted { .. } => JobStateName::Deleted,
        }
    }

    /// Whether its run is still to come or under way.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.state, JobState::Queued | JobState::Running)
    }

    /// What its run exported, whether the bag is still there or not.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.state {
            JobState::Ready { delivery, .. }
            | JobState::Expired { delivery, .. }
            | JobState::Deleted { delivery, .. } => Some(delivery),
            JobState::Queued
            | JobState::Running
            | JobState::Failed { .. }
            | JobState::Cancelled { .. } => None,
        }
    }

    /// Until when its bag can be had; `None` where there is none.
    pub fn expires(&self) -> Option<Timestamp> {
        match self.state {
            JobState::Ready { expires, .. } => Some(expires),
            _ => None,
        }
    }

    /// Queued → running.
    pub fn begin(&mut self, at: Timestamp) -> Result<(), WrongState> {
        match self.state {
            JobState::Queued => {
                self.began = Some(at);
                self.state = JobState::Running;
                Ok(())
            }
            _ => Err(self.wrong("begin")),
        }
    }

    /// Running → ready. The bag is kept for `keep`.
    pub fn deliver(&mut self, delivery: Delivery, keep: Duration) -> Result<(), WrongState> {
        match self.state {
            JobState::Running => {
                let expires = delivery.ready.checked_add(keep).unwrap_or(Timestamp::MAX);
                self.state = JobState::Ready { delivery, expires };
                Ok(())
            }
            _ => Err(self.wrong("deliver a bag")),
        }
    }

    /// Queued or running → failed.
    pub fn fail(&mut self, failure: JobFailure, at: Timestamp) -> Result<(), WrongState> {
        if !self.is_unfinished() {
            return Err(self.wrong("fail"));
        }
        self.state = JobState::Failed { at, failure };
        Ok(())
    }

    /// Queued or running → cancelled.
    pub fn cancel(&mut self, at: Timestamp) -> Result<(), WrongState> {
        if !self.is_unfinished() {
            return Err(self.wrong("be cancelled"));
        }
        self.state = JobState::Cancelled { at };
        Ok(())
    }

    /// Ready → expired, once its time has come.
    pub fn expire(&mut self, at: Timestamp) -> Result<(), WrongState> {
        match &self.state {
            JobState::Ready { delivery, expires } if *expires <= at => {
                let delivery = delivery.clone();
                self.state = JobState::Expired { delivery, at };
                Ok(())
            }
            _ => Err(self.wrong("expire")),
        }
    }

    /// Ready → deleted.
    pub fn delete_bag(&mut self, at: Timestamp) -> Result<(), WrongState> {
        match &self.state {
            JobState::Ready { delivery, .. } => {
                let delivery = delivery.clone();
                self.state = JobState::Deleted { delivery, at };
                Ok(())
            }
            _ => Err(self.wrong("lose its bag")),
        }
    }

    /// Records a transfer; the oldest is forgotten where there are too many.
    pub fn record_download(&mut self, download: DownloadRecord) {
        if self.downloads.len() >= Self::DOWNLOADS_KEPT {
            self.downloads.remove(0);
        }
        self.downloads.push(download);
        self.downloads_total += 1;
    }

    fn wrong(&self, step: &'static str) -> WrongState {
        WrongState {
            id: self.id.clone(),
            step,
            state: self.state_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn job() -> Job {
        let john = UserId::parse("john").unwrap();
        Job::new(
            JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap(),
            john.clone(),
            JobRequest::everything_of(john),
            at("2026-01-31T10:00:00Z"),
        )
    }

    fn delivery(ready: &str) -> Delivery {
        Delivery {
            ready: at(ready),
            bag: BagRecord {
                name: SafeName::parse("uforge-john.zip").unwrap(),
                format: BagFormat::Zip,
                bytes: 3,
                sha256: Sha256::of(b"bag"),
            },
            completeness: Completeness::Complete,
            report: Bytes::from_static(b"{}"),
        }
    }

    fn ready() -> Job {
        let mut job = job();
        job.begin(at("2026-01-31T10:00:01Z")).unwrap();
        job.deliver(delivery("2026-01-31T11:00:00Z"), Duration::from_hours(168))
            .unwrap();
        job
    }

    #[test]
    fn an_answer_is_due_one_calendar_month_after_the_request() {
        assert_eq!(job().due(), at("2026-02-28T10:00:00Z"));
        let mut july = job();
        july.requested = at("2026-07-15T23:59:59Z");
        assert_eq!(july.due(), at("2026-08-15T23:59:59Z"));
    }

    #[test]
    fn a_bag_expires_when_its_time_has_come_and_not_before() {
        let mut job = ready();
        assert_eq!(job.expires(), Some(at("2026-02-07T11:00:00Z")));
        assert!(job.expire(at("2026-02-07T10:59:59Z")).is_err());
        job.expire(at("2026-02-07T11:00:00Z")).unwrap();
        assert_eq!(job.state_name(), JobStateName::Expired);
    }

    #[test]
    fn the_record_outlives_its_bag() {
        for end in [
            |job: &mut Job| job.delete_bag(at("2026-02-01T00:00:00Z")),
            |job: &mut Job| job.expire(at("2026-03-01T00:00:00Z")),
        ] {
            let mut job = ready();
            let before = job.delivery().cloned();
            end(&mut job).unwrap();
            assert_eq!(job.delivery().cloned(), before);
            assert_eq!(job.expires(), None);
        }
    }

    #[test]
    fn what_is_over_stays_over() {
        let now = at("2026-03-01T00:00:00Z");
        let failure = JobFailure {
            message: "no".to_owned(),
            hint: None,
        };
        let ends: [fn(&mut Job, Timestamp); 3] = [
            |job, now| job.cancel(now).unwrap(),
            |job, now| {
                let failure = JobFailure {
                    message: "no".to_owned(),
                    hint: None,
                };
                job.fail(failure, now).unwrap();
            },
            |job, now| {
                job.begin(now).unwrap();
                job.deliver(delivery("2026-02-01T00:00:00Z"), Duration::ZERO)
                    .unwrap();
                job.expire(now).unwrap();
            },
        ];
        for end in ends {
            let mut job = job();
            end(&mut job, now);
            let over = job.clone();
            assert!(job.begin(now).is_err());
            assert!(job.cancel(now).is_err());
            assert!(job.fail(failure.clone(), now).is_err());
            assert!(job.expire(now).is_err());
            assert!(job.delete_bag(now).is_err());
            assert!(
                job.deliver(delivery("2026-03-01T00:00:00Z"), Duration::ZERO)
                    .is_err()
            );
            assert_eq!(job, over);
        }
    }

    #[test]
    fn a_step_out_of_order_is_named() {
        let error = ready().begin(at("2026-03-01T00:00:00Z")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "job `018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f` cannot begin: it is ready"
        );
    }

    #[test]
    fn only_the_latest_transfers_are_kept_but_all_are_counted() {
        let mut job = ready();
        for offset in 0..=Job::DOWNLOADS_KEPT as u64 {
            job.record_download(DownloadRecord {
                at: at("2026-02-01T00:00:00Z"),
                by: job.owner.clone(),
                from: "192.0.2.7".to_owned(),
                offset,
                bytes: 1,
                complete: true,
            });
        }
        assert_eq!(job.downloads.len(), Job::DOWNLOADS_KEPT);
        assert_eq!(job.downloads[0].offset, 1);
        assert_eq!(job.downloads_total, Job::DOWNLOADS_KEPT as u64 + 1);
    }
}
