//! What a run came to, reported to people and to programs.
//!
//! [`Report`] is the value; renderings of it live beside it: [`export_json`] for programs, [`index_html`] for the person whose
//! data it is, [`summary`] for whoever ran the program. Nothing in here opens a file or asks a clock.

mod coverage;
mod delivered;
mod export_json;
mod index_html;
mod outcome;
mod plain;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
mod schema;
mod summary;
pub mod tags;
mod views;
mod words;
mod written;

pub use coverage::{Coverage, Inside, coverage};
pub use delivered::{TagSums, delivered};
pub use export_json::{FailureEntry, export_json};
pub use index_html::{index_html, visible};
pub use outcome::{
    Completeness, Failure, ItemReport, ItemStatus, Outcome, Report, SectionReport, SectionStatus,
    Stage,
};
pub use schema::export_json_schema;
pub use summary::summary;
pub use views::{Period, SectionView, Timeline, Views};
pub(crate) use words::in_words;
pub use words::{grouped, human_bytes};
pub(crate) use written::write_export_json;

use crate::bag::layout::Tag;
use crate::model::BagPath;
use crate::ports::TagFile;

/// The name of the operator's own text in the bag.
const NOTICE: &str = "notice.txt";

/// The tag files that describe the run, beside `export.json`: `index.html`, and the operator's own text where there is one. `views` is
/// what was made beside them. Each is rendered when it is asked for.
pub fn rendered<'a>(report: &'a Report, views: &'a Views) -> impl Iterator<Item = TagFile> + 'a {
    let file = |path, bytes: Vec<u8>| TagFile {
        path,
        bytes: bytes.into(),
    };
    let html = move || file(Tag::IndexHtml.path(), index_html(report, views));
    let notice = report.notice.as_ref().zip(BagPath::parse(NOTICE).ok());
    let notice = notice.map(move |(notice, path)| file(path, notice.clone().into_bytes()));
    std::iter::once_with(html).chain(notice)
}

/// The same with `export.json`, which a run writes into its bag piece by piece.
#[cfg(test)]
pub(crate) fn all_rendered<'a>(
    report: &'a Report,
    views: &'a Views,
) -> impl Iterator<Item = TagFile> + 'a {
    let json = TagFile {
        path: Tag::ExportJson.path(),
        bytes: export_json(report).into(),
    };
    std::iter::once(json).chain(rendered(report, views))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bag_describes_itself_in_two_or_three_files() {
        let names = |report: &Report| -> Vec<String> {
            let views = Views::default();
            let files = all_rendered(report, &views);
            files.map(|file| file.path.to_string()).collect()
        };
        assert_eq!(names(&sample::complete()), ["export.json", "index.html"]);
        assert_eq!(
            names(&sample::partial()),
            ["export.json", "index.html", "notice.txt"]
        );
    }
}
