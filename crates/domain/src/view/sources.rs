//! Which file of the bag describes an object.

use std::collections::{BTreeMap, HashMap};

use crate::bag::layout::{is_picture, time_of_object_document};
use crate::model::{Representation, Secrets, Section};
use crate::ports::{Receipt, RedactionRule};
use crate::report::{ItemReport, Report};

/// Both forms say the same; the first is the schema's own.
const FORMS: [Representation; 2] = [Representation::Xml, Representation::Json];

/// The files of a bag.
pub(super) struct Files<'r> {
    by_path: HashMap<&'r str, &'r Receipt>,
}

/// A document, in the form that pages are made from.
#[derive(Clone, Copy)]
pub(super) struct Document<'r> {
    pub(super) file: &'r Receipt,
    pub(super) form: Representation,
}

impl Document<'_> {
    /// What became of the secrets in it.
    pub(super) fn secrets(self) -> Secrets {
        let mut redactions = self.file.origin.redactions.iter();
        if redactions.any(|redaction| redaction.rule == RedactionRule::Secret) {
            Secrets::Redact
        } else {
            Secrets::Keep
        }
    }
}

impl<'r> Files<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let files = report.files.iter();
        Self {
            by_path: files.map(|file| (file.path.as_str(), file)).collect(),
        }
    }

    /// The files of an object, by their names: they came in any order.
    pub(super) fn of_item(&self, item: &ItemReport) -> Vec<&'r Receipt> {
        let files = item.files.iter();
        let mut found: Vec<&Receipt> = files
            .filter_map(|path| self.by_path.get(path.as_str()).copied())
            .collect();
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }
}

/// The newest document of an object that has one of its own.
pub(super) fn own_document<'r>(files: &[&'r Receipt], section: Section) -> Option<Document<'r>> {
    FORMS.into_iter().find_map(|form| {
        let times = files.iter().filter_map(|file| {
            let time = time_of_object_document(&file.path, section, form)?;
            Some((time, *file))
        });
        let (_, file) = times.max_by_key(|(time, _)| *time)?;
        Some(Document { file, form })
    })
}

/// The photo or logo of an object.
pub(super) fn picture<'r>(files: &[&'r Receipt]) -> Option<&'r Receipt> {
    let mut files = files.iter();
    files.find(|file| is_picture(&file.path)).copied()
}

/// The documents of a section's lists, each in one form: parts of a list in their order, lists by their names.
pub(super) fn lists(report: &Report, section: Section) -> Vec<Document<'_>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found: Vec<Document<'_>> = Vec::new();
    for file in &report.files {
        let (stem, ending) = file.path.as_str().rsplit_once('.').unwrap_or_default();
        let form = FORMS.into_iter().find(|form| form.ending() == ending);
        let is_list = file.origin.section == section && is_of_list(file, section);
        let Some(form) = form.filter(|_| is_list) else {
            continue;
        };
        let document = Document { file, form };
        match places.get(stem).and_then(|place| found.get_mut(*place)) {
            Some(known) if form == Representation::Xml => *known = document,
            Some(_) => {}
            None => {
                places.insert(stem, found.len());
                found.push(document);
            }
        }
    }
    found.sort_by_cached_key(|document| order(document.file.path.as_str()));
    found
}

/// `usage.xml` comes before `usage-2.xml`, and that before `usage-10.xml`.
fn order(path: &str) -> (String, u64) {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let numbered = stem
        .rsplit_once('-')
        .and_then(|(stem, number)| Some((stem, number.parse().ok()?)));
    let (stem, number) = numbered.unwrap_or((stem, 1));
    (stem.to_owned(), number)
}

/// Objects with folders of their own lie deeper than their list.
fn is_of_list(file: &Receipt, section: Section) -> bool {
    let depth = file.path.as_str().matches('/').count();
    depth == 2 || section == Section::WorkspaceComments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list_are_in_their_order() {
        let mut paths = [
            "data/usage/usage-10.xml",
            "data/usage/usage-2.xml",
            "data/usage/usage.xml",
        ];
        paths.sort_by_cached_key(|path| order(path));
        assert_eq!(
            paths,
            [
                "data/usage/usage.xml",
                "data/usage/usage-2.xml",
                "data/usage/usage-10.xml"
            ]
        );
    }
}
