//! The stores of jobs and bags: records in memory, bags on this machine's disk.

mod disk;
mod folder;
mod hash;
mod memory;
// The contract suites are among those of the other ports. This crate cannot depend on `tests`, which depends on it.
#[cfg(test)]
#[path = "../../../../tests/src/contract/bag_store.rs"]
#[expect(unreachable_pub, reason = "it is public where it stands")]
pub(crate) mod bag_promises;
#[cfg(test)]
#[path = "../../../../tests/src/contract/job_store.rs"]
#[expect(unreachable_pub, reason = "it is public where it stands")]
pub(crate) mod promises;

pub(crate) use disk::DiskBags;
pub(crate) use folder::{DataFolder, DataFolderError};
pub(crate) use memory::MemoryJobs;
