//! What the three containers look like in bytes: zip, tar and tar.gz, written by ourselves.
//!
//! Every member is **head ‖ body ‖ tail**. The body is the packed content and is written once, while it arrives. The head
//! holds sizes and sums: where they are not known yet, a head of the same length stands in for it ([`HeadForm::Patchable`])
//! and is replaced in place when the content ends. So no format needs data descriptors, a second copy, or to know a size
//! beforehand; and a body that was packed beside the container is a member as soon as a head is put before it.
//!
//! Nothing in here opens a file. The `zip` and `tar` crates read these bytes back in the tests; they do not write them,
//! because an entry has to be whole on disk when it is closed, not when the next one begins or when the archive ends.
//!
//! Start with [`Container`].

mod beginning;
mod deflate;
mod encode;
mod tar;
mod targz;
#[cfg(test)]
mod tests;
mod zip;

use std::io::{self, Write};

use domain::model::{BagFormat, BagPath, SafeName};
use domain::ports::Storage;
use jiff::Timestamp;

pub(crate) use beginning::WholePart;
pub(crate) use encode::{Encoder, Encoding};

/// Access rights of the files inside: their owner's only.
const FILE_MODE: u32 = 0o600;

/// A file inside the container, before its content is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// `<top folder>/<path in the bag>`.
    pub(crate) name: String,
    /// When it was fetched.
    pub(crate) modified: Timestamp,
    /// Packed or not.
    pub(crate) storage: Storage,
}

impl Member {
    pub(crate) fn new(
        top: &SafeName,
        path: &BagPath,
        modified: Timestamp,
        storage: Storage,
    ) -> Self {
        Self {
            name: format!("{top}/{path}"),
            modified,
            storage,
        }
    }

    /// Seconds since 1970, none before.
    fn modified_secs(&self) -> u64 {
        u64::try_from(self.modified.as_second()).unwrap_or(0)
    }
}

/// What is known of a member's content once it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// Size.
    pub(crate) bytes: u64,
    /// CRC-32 of the content.
    pub(crate) crc32: u32,
    /// Length of the body: the content as it lies in the container.
    pub(crate) packed: u64,
}

/// A member that is in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Which.
    pub(crate) member: Member,
    /// What it holds.
    pub(crate) content: Content,
    /// Where its head begins.
    pub(crate) offset: u64,
}

/// When a head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadForm {
    /// Before the content is known, and again afterwards: its length depends on the member alone.
    Patchable,
    /// Once, when the content is known: as short as it can be.
    Final,
}

/// The bytes of one container format.
pub(crate) trait Container: Send + Sync {
    /// What stands before the body.
    fn head(&self, member: &Member, content: Content, form: HeadForm) -> Vec<u8>;

    /// How content becomes a body.
    fn encoding(&self, storage: Storage) -> Encoding;

    /// Zeros that go through the packing after this much content.
    fn padding(&self, bytes: u64) -> usize;

    /// What stands after the body.
    fn tail(&self, member: &Member, content: Content) -> Vec<u8>;

    /// What stands after the last member, which ends at `offset`.
    fn end(&self, placed: &[Placed], offset: u64, output: &mut dyn Write) -> io::Result<()>;
}

/// The container of this format.
pub(crate) fn container(format: BagFormat) -> &'static dyn Container {
    match format {
        BagFormat::Zip => &zip::Zip,
        BagFormat::Tar => &tar::Tar,
        BagFormat::TarGz => &targz::TarGz,
    }
}
