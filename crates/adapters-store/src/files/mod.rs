//! Files: the folder of the service and the bags in it.

mod bags;
mod data_folder;
mod folders;
mod runs;

pub use bags::DiskBags;
pub use data_folder::{DataFolder, DataFolderError};
pub use runs::DiskRuns;
