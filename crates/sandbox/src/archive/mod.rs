//! Export archives: real `.tar.gz` files of any length, made while they are sent.
//!
//! An [`Archive`] is a plan of segments, not bytes: two gigabytes take a few kilobytes of memory. The deflate stream consists
//! of stored blocks or of one chunk again and again, so that every offset of the compressed file can be made on its own, and each download gets the same
//! bytes. [`content`] says which files are in an archive, [`tar_gz`] lays them out.

mod blocks;
mod compressible;
mod content;
mod described;
mod noise;
mod recipe;
mod tar_gz;

pub(crate) use content::{ArchiveSource, System, archive_of};
pub(crate) use described::{Described, described};
pub(crate) use noise::mix;
pub(crate) use tar_gz::Archive;
