//! Runs jobs: claims them from the store under a lease, a few at a time, each of which can be stopped at any moment and resumed, by
//! this process or the next. Read [`Runner`] first.

mod attempt;
mod bag;
mod campaigns;
mod cancel;
mod conclude;
mod context;
mod leases;
mod live;
mod order;
mod registry;
mod retry;
mod service;
mod service_account;
mod sign_in;
mod sweep;
mod terms;
#[cfg(test)]
mod tests;
mod underway;
mod worker;

pub(crate) use bag::RECEIPT_ENDING;
pub(crate) use context::RunnerPorts;
pub(crate) use live::Snapshot;
pub(crate) use retry::RetryError;
pub(crate) use service::{Runner, TakeOnError};
pub use terms::Pace;
pub(crate) use terms::{Duty, Terms};
