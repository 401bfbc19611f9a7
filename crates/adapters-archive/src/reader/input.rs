//! What bags are read from.

use std::io::{Read, Seek};

/// One read of a file.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes that can be read from any place, and on any thread.
pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}
