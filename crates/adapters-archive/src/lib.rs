//! The archive sink and journal ports over zip, tar and tar.gz files; bags read back and verified; encryption and
//! seals with age; receipts and their signatures.
//!
//! Writing begins at [`open_run`], reading at [`open_bag`], [`list`], [`verify`] and, for imports, [`BagArchives`]. [`ImportFile`] keeps
//! what is recorded of an import.

mod archives;
mod beside;
mod container;
mod encrypt;
mod import_file;
mod journal;
mod members;
mod memory;
mod pieces;
mod publish;
mod reader;
mod receipt_file;
mod run;
mod seal;
mod signature;
mod spool;
#[cfg(test)]
mod test_kit;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;
mod writer;

pub use archives::BagArchives;
pub use encrypt::{Encryption, EncryptionError, Recipient};
pub use import_file::{ImportFile, ImportFileError, ImportHeader};
pub use journal::{Durable, EntryRecord, RunHeader};
pub use members::{ContainerForm, Directory, EncodedMember, MemberEncoder, ReusableBody};
pub use memory::Short;
pub use publish::{Replace, WholeSum};
pub use reader::{
    BagSource, ListedFile, Listing, ReadError, StoredFormat, Unlock, delivered, export_json, list,
    open_bag,
};
pub use receipt_file::{
    ReceiptFile, ReceiptFileError, read_receipt_file, signature_beside, sum_of_file,
};
pub use run::{
    LockedRun, OpenError, OpenRun, OpenedRun, RunFiles, RunSettings, Target, UnfinishedPolicy,
    UnfinishedRun, bag_of_work_folder, check_target, find_unfinished, is_taken, lock_unfinished,
    open_run, read_header, remove_unfinished,
};
pub use seal::{SealKey, SealKeyError, open_with_token, seal_to_token};
pub use signature::{
    SecretKeyFile, SignatureProblem, SigningKey, SigningKeyError, VerifyingKey, VerifyingKeyError,
    signed_with,
};
pub use spool::trust::{Access, Distrust, open_own_file, open_own_folder};
pub use spool::{LockRefused, LockedFile, free_space};
pub use verify::{Depth, TagSums, VerifyReport, verify};
pub use writer::{Chunks, Paths, Reservation};
