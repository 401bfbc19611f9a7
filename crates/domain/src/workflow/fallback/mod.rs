//! Something rather than nothing: of an item of which the platform can give no archive, the documents and files below it.

mod addresses;
mod fetch;
mod note;
mod queue;

pub(crate) use fetch::fetch_parts;
