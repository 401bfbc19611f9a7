//! Which campaign: its name, and the mark that it leaves on its jobs.

use std::fmt;

use super::{JobId, JobIdError};
use crate::model::UserId;

/// The name of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CampaignId(JobId);

impl CampaignId {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, JobIdError> {
        JobId::parse(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same name, for an idempotency key, which stands for an export or a campaign.
    pub fn key(&self) -> &JobId {
        &self.0
    }
}

impl From<JobId> for CampaignId {
    fn from(id: JobId) -> Self {
        Self(id)
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which campaign a job belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignMark {
    /// The campaign.
    pub id: CampaignId,
    /// The administrator who ordered it.
    pub requested_by: UserId,
}
