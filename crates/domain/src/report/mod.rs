//! What a run came to, reported to people and to programs.
//!
//! [`Report`] is the value; renderings of it live beside it: [`export_json`] for programs, [`index_html`] for the person whose
//! data it is, [`summary`] for whoever ran the program. Nothing in here opens a file or asks a clock.

mod coverage;
mod delivered;
mod export_json;
pub mod index_html;
mod outcome;
mod plain;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
mod schema;
mod summary;
mod tags;
mod views;
mod words;
mod written;

pub use coverage::{Coverage, Inside, coverage};
pub use delivered::{TagSums, delivered};
pub use export_json::{FailureEntry, export_json};
pub use index_html::visible;
pub use outcome::{
    Completeness, Failure, ItemReport, ItemStatus, Outcome, Report, SectionReport, SectionStatus,
    Stage,
};
pub use schema::export_json_schema;
pub use summary::summary;
pub use views::{Period, SectionView, Timeline, Views};
pub(crate) use words::in_words;
pub use words::{grouped, human_bytes};
#[cfg(test)]
pub(crate) use written::tag_files;
pub use written::{TagWriter, write_tag_files};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bag_describes_itself_in_two_or_three_files() {
        let names = |report: &Report| -> Vec<String> {
            let files = tag_files(report, &Views::default());
            let names = files.iter().map(|file| file.path.to_string());
            names
                .filter(|name| !name.ends_with("sha256.txt") && !name.starts_with("bag"))
                .collect()
        };
        assert_eq!(names(&sample::complete()), ["export.json", "index.html"]);
        assert_eq!(
            names(&sample::partial()),
            ["export.json", "index.html", "notice.txt"]
        );
    }
}
