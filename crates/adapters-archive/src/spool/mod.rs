//! The work folder beside the final file, and the files in it: the unfinished bag, the journal, and the spool files, in which
//! bodies wait ([`SpoolFile`]).
//!
//! Everything in here is its owner's alone (folder 0700, files 0600) whatever the umask is, as far as the file system keeps access
//! rights; what is not this user's own is never used ([`trust`]).

mod abilities;
mod claim;
mod files;
mod flush;
mod pause;
mod positioned;
mod send;
mod space;
mod spool_file;
mod transfer;
pub(crate) mod trust;
mod work_folder;

pub(crate) use abilities::{Abilities, Naming, rename_without_replacing};
pub use claim::{LockRefused, LockedFile};
pub(crate) use files::{cut, parent_of, remove_if_there, same_file};
pub(crate) use flush::{begin_flush, is_unsupported, sync_file, sync_folder, sync_whole_file};
pub(crate) use pause::pause;
pub(crate) use positioned::{PositionedReader, PositionedWriter, copy_within};
pub use space::free_space;
pub(crate) use space::release;
pub(crate) use spool_file::{BodyWriter, Spool, SpoolFile, SpoolFileName};
pub(crate) use trust::{Access, Distrust, Expected};
pub(crate) use work_folder::WorkFolder;
