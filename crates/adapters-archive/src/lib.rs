//! The archive sink and journal ports over zip, tar and tar.gz files; bags read back and verified; age encryption.

mod reader;
mod verify;

pub use reader::{BagSource, ListedFile, Listing, Packing, ReadError, Unlock, list, open_bag};
pub use verify::{Depth, VerifyReport, verify};
