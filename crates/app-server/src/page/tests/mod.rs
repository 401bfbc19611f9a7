//! The pages with a platform and runs that the test decides about.

mod administrators;
mod campaigns;
mod exports;
mod kit;
mod paths;
mod sessions;
