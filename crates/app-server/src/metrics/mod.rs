//! What Prometheus reads: counts and times, by labels of a few fixed values. No label names a person, an address or a path.

mod audit;
mod jobs;
mod names;
mod platform;
mod registry;

pub(crate) use audit::MeteredAudit;
pub(crate) use jobs::{JobCounts, LastCounts};
pub(crate) use platform::MeteredApi;
pub(crate) use registry::Metrics;
