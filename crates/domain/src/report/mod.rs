//! What a run came to, told to people and to programs.
//!
//! [`Report`] is the value; renderings of it (`export.json`, `index.html`, the summary) live beside it.

mod outcome;

pub use outcome::{
    Completeness, Failure, ItemReport, ItemStatus, Outcome, Report, SectionReport, SectionStatus,
    Stage,
};

/// The tag files that tell of the run.
pub fn rendered(_: &Report) -> Vec<crate::ports::TagFile> {
    Vec::new()
}
