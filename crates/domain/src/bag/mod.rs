//! What a bag is: where its files lie, what its tag files say (`BagIt` 1.0, RFC 8493), and whether bytes are whole.
//!
//! Nothing in here opens a file: bytes are fed in, bytes come out. Read [`layout`] first.

pub mod integrity;
pub mod layout;
pub mod manifest;
pub mod receipt;
pub mod verify;

pub use integrity::{ContentCheck, GzipCheck, PublishedCheck};
