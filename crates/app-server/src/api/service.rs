//! What every handler works with.

use std::ops::Deref;
use std::sync::Arc;

use domain::jobs::{AuditLog, BagStore, IdempotencyKeys, JobStore};
use domain::ports::Clock;

use super::readiness::Readiness;
use super::streams::Streams;
use crate::auth::Gate;
use crate::backend::Backend;
use crate::runner::Runner;

/// Everything that a handler works with.
#[derive(Clone)]
pub(crate) struct Service(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) keys: Arc<dyn IdempotencyKeys>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) gate: Gate,
    pub(crate) readiness: Readiness,
    pub(crate) streams: Streams,
    pub(crate) transport: Transport,
}

/// How browsers reach the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Unencrypted, as far as anybody knows.
    #[default]
    Plain,
    /// Under `https` only.
    Tls,
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
