//! What every handler works with.

use std::ops::Deref;
use std::sync::Arc;

use domain::jobs::{AuditLog, BagStore, CampaignStore, IdempotencyKeys, JobStore};
use domain::ports::Clock;

use super::readiness::Readiness;
use crate::auth::Gate;
use crate::backend::Backend;
use crate::metrics::{LastCounts, Metrics};
use crate::runner::Runner;

/// Everything that a handler works with.
#[derive(Clone)]
pub(crate) struct Service(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) campaigns: Arc<dyn CampaignStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) keys: Arc<dyn IdempotencyKeys>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) gate: Gate,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) last_counts: LastCounts,
}

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Service {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
