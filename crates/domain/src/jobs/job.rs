//! The job as a state machine. Time is an argument; nothing in here waits, reads or writes.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use thiserror::Error;

use super::{
    CampaignMark, Delivery, DownloadRecord, JobFailure, JobId, JobRequest, JobState, JobStateName,
};
use super::{Transfer, WaitingFor};
use crate::model::UserId;

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
    /// Since when its run makes no progress because it waits for something.
    pub paused_since: Option<Timestamp>,
    /// How often the process died in its run.
    pub deaths: u32,
    /// What a person should know beside the state: tickets that could not be deleted, and the like.
    pub notes: Vec<String>,
    /// The latest downloads of its bag, oldest first: at most [`Job::DOWNLOADS_KEPT`].
    pub downloads: Vec<DownloadRecord>,
    /// All downloads that were ever recorded.
    pub downloads_total: u64,
    /// The campaign that it belongs to. Its owner is then the person whose data it is.
    pub campaign: Option<CampaignMark>,
    /// Who wants of it what is wanted of it: its owner or, for one of a campaign, an administrator.
    pub wished_by: Option<UserId>,
}

impl Job {
    /// Downloads that are recorded one by one.
    pub const DOWNLOADS_KEPT: usize = 100;
    /// Notes that are kept.
    pub const NOTES_KEPT: usize = 100;
    /// A job in whose run the process died so often is failed instead of being run again.
    pub const DEATHS: u32 = 3;

    /// A job that waits for a free place.
    pub fn new(id: JobId, owner: UserId, request: JobRequest, requested: Timestamp) -> Self {
        Self {
            id,
            owner,
            request,
            requested,
            began: None,
            state: JobState::Queued,
            paused_since: None,
            deaths: 0,
            notes: Vec::new(),
            downloads: Vec::new(),
            downloads_total: 0,
            campaign: None,
            wished_by: None,
        }
    }

    /// Who asked for it: its owner or, for one of a campaign, the administrator who ordered that.
    pub fn requested_by(&self) -> &UserId {
        match &self.campaign {
            Some(campaign) => &campaign.requested_by,
            None => &self.owner,
        }
    }

    /// When an answer is due: one calendar month after the request, in UTC (GDPR article 12(3)).
    pub fn due(&self) -> Timestamp {
        self.requested
            .to_zoned_datetime(TimeZone::UTC)
            .checked_add(1.month())
            .map_or(Timestamp::MAX, |due| due.timestamp())
    }

    /// The name of its state at this moment. A bag whose time is over is gone for everyone from that moment on, whenever its
    /// bytes go.
    pub fn state_at(&self, now: Timestamp) -> JobStateName {
        match &self.state {
            JobState::Ready { expires, .. } if *expires <= now => JobStateName::Expired,
            state => state.name(),
        }
    }

    /// Whether its run is still to come or under way.
    pub fn is_unfinished(&self) -> bool {
        matches!(
            self.state,
            JobState::Queued | JobState::Running | JobState::Waiting { .. }
        )
    }

    /// What its run exported, whether the bag is still there or not.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.state {
            JobState::Ready { delivery, .. }
            | JobState::Expired { delivery, .. }
            | JobState::Deleted { delivery, .. } => Some(delivery),
            JobState::Queued
            | JobState::Running
            | JobState::Waiting { .. }
            | JobState::Failed { .. }
            | JobState::Cancelled { .. } => None,
        }
    }

    /// Until when its bag can be fetched; `None` where there is none.
    pub fn expires(&self) -> Option<Timestamp> {
        match self.state {
            JobState::Ready { expires, .. } => Some(expires),
            _ => None,
        }
    }

    /// Queued or waiting → running.
    pub fn begin(&mut self, at: Timestamp) -> Result<(), WrongState> {
        match self.state {
            JobState::Queued | JobState::Waiting { .. } => {
                self.began.get_or_insert(at);
                self.state = JobState::Running;
                Ok(())
            }
            _ => Err(self.wrong("begin")),
        }
    }

    /// Running → queued: whoever ran it does no more.
    pub fn queue_again(&mut self) -> Result<(), WrongState> {
        match self.state {
            JobState::Running | JobState::Waiting { .. } | JobState::Queued => {
                self.state = JobState::Queued;
                Ok(())
            }
            _ => Err(self.wrong("be queued again")),
        }
    }

    /// Running → waiting. It is given up `give_up_after` its first pause.
    pub fn pause(
        &mut self,
        waiting_for: WaitingFor,
        retry: Option<Timestamp>,
        at: Timestamp,
        give_up_after: Duration,
    ) -> Result<(), WrongState> {
        if !matches!(self.state, JobState::Running) {
            return Err(self.wrong("wait"));
        }
        let since = *self.paused_since.get_or_insert(at);
        self.state = JobState::Waiting {
            waiting_for,
            retry,
            give_up: since.checked_add(give_up_after).unwrap_or(Timestamp::MAX),
        };
        Ok(())
    }

    /// Its run made progress: what it waited for is over.
    pub fn progressed(&mut self) {
        self.paused_since = None;
        self.deaths = 0;
    }

    /// Running → ready. The bag is kept for `keep`.
    pub fn deliver(&mut self, delivery: Delivery, keep: Duration) -> Result<(), WrongState> {
        match self.state {
            JobState::Running => {
                let expires = delivery.ready.checked_add(keep).unwrap_or(Timestamp::MAX);
                self.state = JobState::Ready { delivery, expires };
                self.paused_since = None;
                Ok(())
            }
            _ => Err(self.wrong("deliver a bag")),
        }
    }

    /// Queued, running or waiting → failed. Its unfinished run is kept for a retry for so long.
    pub fn fail(
        &mut self,
        failure: JobFailure,
        at: Timestamp,
        resumable_for: Option<Duration>,
    ) -> Result<(), WrongState> {
        if !self.is_unfinished() {
            return Err(self.wrong("fail"));
        }
        let until = |kept| at.checked_add(kept).unwrap_or(Timestamp::MAX);
        self.state = JobState::Failed {
            at,
            failure,
            resumable_until: resumable_for.map(until),
        };
        Ok(())
    }

    /// Failed → queued, as long as its unfinished run is kept.
    pub fn retry(&mut self, at: Timestamp) -> Result<(), WrongState> {
        match self.state {
            JobState::Failed {
                resumable_until: Some(until),
                ..
            } if at < until => {
                self.state = JobState::Queued;
                self.paused_since = None;
                self.deaths = 0;
                Ok(())
            }
            _ => Err(self.wrong("be tried again")),
        }
    }

    /// Failed, and nothing of its run is kept any more.
    pub fn forget_run(&mut self) -> Result<(), WrongState> {
        match &mut self.state {
            JobState::Failed {
                resumable_until, ..
            } => {
                *resumable_until = None;
                Ok(())
            }
            _ => Err(self.wrong("lose its run")),
        }
    }

    /// Queued, running or waiting → cancelled.
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

    /// Adds notes; what it says already is not said twice. Of too many the oldest go.
    pub fn add_notes(&mut self, notes: Vec<String>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        let surplus = self.notes.len().saturating_sub(Self::NOTES_KEPT);
        self.notes.drain(..surplus);
    }

    /// Records a transfer with the download that it belongs to. Of too many downloads the oldest goes that is not complete, else the
    /// oldest.
    pub fn record_transfer(&mut self, transfer: &Transfer) {
        let mut latest = self.downloads.iter_mut().rev();
        if let Some(download) = latest.find(|download| download.takes(transfer)) {
            download.add(transfer);
            return;
        }
        if self.downloads.len() >= Self::DOWNLOADS_KEPT {
            let least = self
                .downloads
                .iter()
                .position(|download| !download.complete);
            self.downloads.remove(least.unwrap_or_default());
        }
        self.downloads.push(DownloadRecord::of(transfer));
        self.downloads_total += 1;
    }

    fn wrong(&self, step: &'static str) -> WrongState {
        WrongState {
            id: self.id.clone(),
            step,
            state: self.state.name(),
        }
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
