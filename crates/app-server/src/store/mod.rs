//! The stores of jobs and bags: records in memory, bags on this machine's disk.

mod disk;
mod folder;
mod hash;
mod memory;
#[cfg(test)]
pub(crate) mod promises;

pub(crate) use disk::DiskBags;
pub(crate) use folder::{DataFolder, DataFolderError};
pub(crate) use memory::MemoryJobs;
