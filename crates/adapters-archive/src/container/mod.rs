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

mod decode;
mod deflate;
mod encode;
mod member;
mod resumable;
mod tar;
mod targz;
#[cfg(test)]
mod tests;
mod zip;

use domain::model::BagFormat;

pub(crate) use decode::first_bytes;
pub(crate) use encode::{Encoder, Encoding};
pub(crate) use member::{Container, Content, Extent, HeadForm, Member, Placed, Span};
pub(crate) use resumable::ResumablePart;

/// The container of this format.
pub(crate) fn container(format: BagFormat) -> &'static dyn Container {
    match format {
        BagFormat::Zip => &zip::Zip,
        BagFormat::Tar => &tar::Tar,
        BagFormat::TarGz => &targz::TarGz,
    }
}
