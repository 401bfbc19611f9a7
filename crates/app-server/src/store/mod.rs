//! The job and bag stores of this slice: records in memory, bags on this machine's disk.

mod disk;
mod hash;
mod memory;
#[cfg(test)]
pub(crate) mod promises;

pub(crate) use disk::{DataFolder, DataFolderError, DiskBags};
pub(crate) use memory::MemoryJobs;
