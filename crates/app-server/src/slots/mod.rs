//! The slots that the runs of this process use of those that all workers share.

mod queue;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use queue::SlotQueue;
pub(crate) use run::RunSlots;
