//! A campaign: one export for each of many people, ordered by an administrator. Time is an argument.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CampaignId, JobRequest, JobStateName};
use crate::model::{ObjectId, UserId};

/// Whom a campaign is for, as it was ordered. Who that is was read once, at the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// So many people, by name.
    Users(u64),
    /// The members of an organization.
    Organization(ObjectId),
    /// Everybody on the platform.
    Everyone,
}

/// Which earlier bags unchanged archives are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    /// Each person's latest one in the store.
    Last,
}

/// What an administrator ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignOrder {
    /// For whom.
    pub audience: Audience,
    /// What of each of them: `user` is the administrator, in whose place each person comes.
    pub request: JobRequest,
    /// What is taken from earlier bags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

impl CampaignOrder {
    /// The order of one person's export.
    pub fn of(&self, user: UserId) -> JobRequest {
        JobRequest {
            user,
            ..self.request.clone()
        }
    }
}

/// What was decided of a campaign. Whether it is done follows from its exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CampaignState {
    /// Its exports are run.
    Running,
    /// Nothing new of it begins.
    Paused,
    /// It was given up.
    Cancelled,
}

impl CampaignState {
    /// Its name, for columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A campaign as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its name.
    pub id: CampaignId,
    /// The administrator who ordered it.
    pub requested_by: UserId,
    /// When.
    pub requested: Timestamp,
    /// What was ordered.
    pub order: CampaignOrder,
    /// What was decided of it.
    pub state: CampaignState,
    /// How many people it is for.
    pub total: u64,
}

/// Where a campaign's exports are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignStanding {
    /// How many are in each state, in the order of a job's life; states without one are left out.
    pub counts: Vec<(JobStateName, u64)>,
    /// When the first of them began.
    pub first_began: Option<Timestamp>,
}

/// Where a campaign is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CampaignPhase {
    /// Its exports are run.
    Running,
    /// Nothing new of it begins.
    Paused,
    /// All of its exports are over.
    Done,
    /// It was given up.
    Cancelled,
}

impl CampaignStanding {
    /// Exports that are over, however they ended.
    pub fn ended(&self) -> u64 {
        self.sum(|name| !is_unfinished(name))
    }

    /// Exports that are not over.
    pub fn remaining(&self) -> u64 {
        self.sum(is_unfinished)
    }

    fn sum(&self, which: impl Fn(JobStateName) -> bool) -> u64 {
        let counts = self.counts.iter().filter(|count| which(count.0));
        counts.map(|count| count.1).sum()
    }
}

fn is_unfinished(name: JobStateName) -> bool {
    matches!(
        name,
        JobStateName::Queued | JobStateName::Running | JobStateName::Waiting
    )
}

impl Campaign {
    /// Where it is in its life.
    pub fn phase(&self, standing: &CampaignStanding) -> CampaignPhase {
        match self.state {
            CampaignState::Cancelled => CampaignPhase::Cancelled,
            _ if standing.remaining() == 0 => CampaignPhase::Done,
            CampaignState::Running => CampaignPhase::Running,
            CampaignState::Paused => CampaignPhase::Paused,
        }
    }

    /// When it will be done, if the rest takes as long as what has ended so far; `None` where nothing has, or it does not go on.
    pub fn expected_end(&self, standing: &CampaignStanding, now: Timestamp) -> Option<Timestamp> {
        if self.phase(standing) != CampaignPhase::Running {
            return None;
        }
        let ended = u32::try_from(standing.ended())
            .ok()
            .filter(|ended| *ended > 0)?;
        let passed = Duration::try_from(now.duration_since(standing.first_began?)).ok()?;
        let remaining = u32::try_from(standing.remaining()).ok()?;
        let rest = (passed / ended).checked_mul(remaining)?;
        now.checked_add(rest).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(state: CampaignState) -> Campaign {
        let root = UserId::parse("root").unwrap();
        Campaign {
            id: CampaignId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap(),
            requested_by: root.clone(),
            requested: at("2026-11-24T00:00:00Z"),
            order: CampaignOrder {
                audience: Audience::Everyone,
                request: JobRequest::everything_of(root),
                since: None,
            },
            state,
            total: 10,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn standing(counts: &[(JobStateName, u64)]) -> CampaignStanding {
        CampaignStanding {
            counts: counts.to_vec(),
            first_began: Some(at("2026-11-24T00:00:00Z")),
        }
    }

    #[test]
    fn the_rest_is_expected_to_take_as_long_as_what_has_ended() {
        let now = at("2026-11-24T01:00:00Z");
        let half = standing(&[
            (JobStateName::Queued, 5),
            (JobStateName::Running, 1),
            (JobStateName::Ready, 1),
            (JobStateName::Failed, 1),
        ]);
        let running = campaign(CampaignState::Running);
        assert_eq!(
            running.expected_end(&half, now),
            Some(at("2026-11-24T04:00:00Z"))
        );
        assert_eq!(
            campaign(CampaignState::Paused).expected_end(&half, now),
            None
        );
        let none = standing(&[(JobStateName::Queued, 5)]);
        assert_eq!(running.expected_end(&none, now), None);
        let done = standing(&[(JobStateName::Ready, 5)]);
        assert_eq!(running.expected_end(&done, now), None);
    }

    #[test]
    fn a_campaign_is_done_when_all_of_its_exports_are_over() {
        let done = standing(&[(JobStateName::Ready, 3), (JobStateName::Cancelled, 1)]);
        let open = standing(&[(JobStateName::Waiting, 1), (JobStateName::Ready, 3)]);
        for (state, standing, phase) in [
            (CampaignState::Running, &open, CampaignPhase::Running),
            (CampaignState::Paused, &open, CampaignPhase::Paused),
            (CampaignState::Running, &done, CampaignPhase::Done),
            (CampaignState::Paused, &done, CampaignPhase::Done),
            (CampaignState::Cancelled, &open, CampaignPhase::Cancelled),
            (CampaignState::Cancelled, &done, CampaignPhase::Cancelled),
        ] {
            assert_eq!(campaign(state).phase(standing), phase);
        }
    }
}
