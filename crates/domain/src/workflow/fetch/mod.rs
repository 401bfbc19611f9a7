//! What is fetched in one piece: documents, and small files.

mod document;
mod file;
mod json;

pub(crate) use document::{Fetch, Fetched};
pub(crate) use file::FileFailure;
