//! What the page says of each kind of data: its objects, its files, its size.

use std::collections::HashMap;

use super::super::views::{SectionView, Views};
use super::super::words::{
    counted, grouped, human_bytes, is_there, plural, reason, size_of, upper_first, wanted,
};
use super::visible::visible;
use crate::bag::layout::view_page;
use crate::model::{BagPath, Basis, Section, SectionKind};
use crate::ports::Receipt;
use crate::report::{ItemReport, ItemStatus, Report, SectionReport, SectionStatus};

/// Sections with no more objects than this are shown open.
const OPEN_UP_TO: usize = 25;
/// Objects of a list that are shown one by one; a browser must still open the page of an account with 200,000 records.
const SHOWN: usize = 2_000;

/// One kind of data.
pub(super) struct Kind<'a> {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) basis: &'static str,
    pub(super) items: String,
    pub(super) size: String,
    pub(super) presence: Presence,
    pub(super) reason: String,
    /// Where its data can be read.
    pub(super) view: Option<View>,
    /// Files of the whole section: its lists.
    pub(super) files: Vec<FileRow>,
    pub(super) count: String,
    pub(super) open: bool,
    /// Whether its objects have files of their own.
    pub(super) own_files: bool,
    pub(super) rows: Rows<'a>,
    pub(super) more: String,
}

/// How much there is to say of a kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// The platform has nothing of it: its lists are there, and empty.
    Empty,
    /// Nothing of it is in the bag: it has its line in the overview.
    Absent,
    /// It has a passage of its own.
    Here,
}

impl Kind<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.presence == Presence::Empty
    }

    pub(super) fn is_here(&self) -> bool {
        self.presence == Presence::Here
    }
}

/// The pages of a kind of data.
pub(super) struct View {
    /// The first.
    pub(super) path: String,
    /// How many there are; empty where it is the only one.
    pub(super) pages: String,
}

/// What can be read is there, also where no list says what it is.
fn with_view(kind: Kind<'_>, view: SectionView) -> Kind<'_> {
    let uncounted = kind.presence == Presence::Empty && view.objects > 0;
    Kind {
        items: if uncounted {
            grouped(view.objects)
        } else {
            kind.items
        },
        presence: Presence::Here,
        view: Some(link_to(view)),
        ..kind
    }
}

fn link_to(view: SectionView) -> View {
    let pages = view.pages as u64;
    View {
        path: view_page(view.section, 1).to_string(),
        pages: if pages > 1 {
            format!("{} {}", grouped(pages), plural(pages, "page"))
        } else {
            String::new()
        },
    }
}

/// The objects that are shown one by one. There may be very many, so each row is made when it is written.
#[derive(Default)]
pub(super) struct Rows<'a> {
    items: Vec<&'a ItemReport>,
    /// The files of objects that have their own, by their paths.
    files: Vec<&'a Receipt>,
    own_files: bool,
}

impl<'a> Rows<'a> {
    fn of(items: &[&'a ItemReport], files: &[&'a Receipt], own_files: bool) -> Self {
        let shown = if own_files {
            items.len()
        } else {
            SHOWN.min(items.len())
        };
        let mut files = if own_files {
            files.to_vec()
        } else {
            Vec::new()
        };
        files.sort_unstable_by_key(|file| file.path.as_str());
        let items = items.iter().take(shown).copied().collect();
        Self {
            items,
            files,
            own_files,
        }
    }

    /// Whether nothing could be said of any of them.
    fn is_nameless(&self) -> bool {
        let mut items = self.items.iter();
        items.all(|item| name(item).is_none() && detail(item, self.own_files).is_empty())
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row> {
        self.items.iter().map(|item| self.row(item))
    }

    fn row(&self, item: &ItemReport) -> Row {
        let known = |path: &BagPath| {
            let files = &self.files;
            let found = files.binary_search_by_key(&path.as_str(), |file| file.path.as_str());
            files.get(found.ok()?).copied()
        };
        Row {
            name: name(item).unwrap_or_else(|| NAMELESS.to_owned()),
            detail: detail(item, self.own_files),
            warning: warning(item),
            changed: item.last_modified.as_deref().map(day).unwrap_or_default(),
            files: item
                .files
                .iter()
                .filter_map(known)
                .map(own_file_row)
                .collect(),
        }
    }
}

/// One object.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) warning: &'static str,
    pub(super) changed: String,
    pub(super) files: Vec<FileRow>,
}

/// One file.
pub(super) struct FileRow {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) size: String,
    pub(super) source: String,
}

/// Every section, in the order of the report.
pub(super) fn kinds<'a>(report: &'a Report, views: &Views) -> Vec<Kind<'a>> {
    let mut files: HashMap<Section, Vec<&Receipt>> = HashMap::new();
    for file in &report.files {
        files.entry(file.origin.section).or_default().push(file);
    }
    let mut items: HashMap<Section, Vec<&ItemReport>> = HashMap::new();
    for item in &report.items {
        items.entry(item.section).or_default().push(item);
    }
    report
        .sections
        .iter()
        .map(|section| {
            let of = section.section;
            let view = views.sections.iter().find(|view| view.section == of);
            let kind = kind(
                report,
                section,
                files.get(&of).map(Vec::as_slice).unwrap_or_default(),
                items.get(&of).map(Vec::as_slice).unwrap_or_default(),
            );
            match view {
                Some(view) => with_view(kind, *view),
                None => kind,
            }
        })
        .collect()
}

fn kind<'a>(
    report: &Report,
    section: &SectionReport,
    files: &[&'a Receipt],
    items: &[&'a ItemReport],
) -> Kind<'a> {
    let info = section.section.info();
    let own_files = has_own_files(info.kind);
    let rows = Rows::of(items, files, own_files);
    let more = more(items.len() - rows.len());
    let rows = if rows.is_nameless() {
        Rows::default()
    } else {
        rows
    };
    let presence = if section.status == SectionStatus::Complete && wanted(section) == 0 {
        Presence::Empty
    } else if items.is_empty() && files.is_empty() {
        Presence::Absent
    } else {
        Presence::Here
    };
    Kind {
        name: info.name,
        title: info.title,
        about: info.about,
        basis: in_words(info.basis),
        items: items_of(section),
        size: size(report, section),
        presence,
        reason: if is_there(section) && section.status != SectionStatus::Complete {
            upper_first(&visible(&reason(section)))
        } else {
            String::new()
        },
        view: None,
        files: section_files(files, items, own_files),
        count: counted(section.section, items.len() as u64),
        open: rows.len() <= OPEN_UP_TO,
        own_files,
        more,
        rows,
    }
}

/// Whether objects of this kind lie in folders of their own; those of a list share the list's documents.
fn has_own_files(kind: SectionKind) -> bool {
    match kind {
        SectionKind::Profile | SectionKind::Items(_) | SectionKind::CloudAccounts => true,
        SectionKind::List(_) | SectionKind::WorkspaceComments => false,
    }
}

fn in_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Provided => "You gave or made it.",
        Basis::Observed => "The platform recorded it.",
        Basis::Platform => "The platform or its administrators decided it.",
    }
}

fn items_of(section: &SectionReport) -> String {
    match section.status {
        SectionStatus::Excluded => "not asked for".to_owned(),
        _ if !is_there(section) => "not available".to_owned(),
        _ if wanted(section) > section.items => {
            format!("{} of {}", grouped(section.items), grouped(wanted(section)))
        }
        _ => grouped(section.items),
    }
}

fn size(report: &Report, section: &SectionReport) -> String {
    if is_there(section) {
        on_one_line(size_of(report, section.section))
    } else {
        "–".to_owned()
    }
}

/// A size whose unit is not left behind at the end of a line.
fn on_one_line(bytes: u64) -> String {
    human_bytes(bytes).replace(' ', "\u{a0}")
}

const NAMELESS: &str = "without a name";

/// Its real name, where it has one.
fn name(item: &ItemReport) -> Option<String> {
    let name = item.name.as_deref().map(visible);
    name.filter(|name| !name.trim().is_empty())
}

fn detail(item: &ItemReport, own_files: bool) -> String {
    let version = item.version.as_deref();
    let changed = item.last_modified.as_deref().filter(|_| own_files);
    let known = [
        version.map(|version| format!("version {}", visible(version))),
        item.id.map(|id| format!("number\u{a0}{id}")),
        changed.map(|time| format!("changed {}", day(time))),
    ];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn warning(item: &ItemReport) -> &'static str {
    match (item.status, item.changed_during_export) {
        (ItemStatus::Partial, _) => "incomplete: see what is missing",
        (ItemStatus::Failed, _) => "missing: see what is missing",
        (ItemStatus::Unavailable, _) => "not available: see what is missing",
        (ItemStatus::Complete, true) => "changed during the export",
        (ItemStatus::Complete, false) => "",
    }
}

/// The day of a time as the platform writes it; as it is, where it cannot be read.
fn day(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(
        |_| visible(time),
        |time| time.strftime("%-d\u{a0}%B %Y").to_string(),
    )
}

fn section_files(files: &[&Receipt], items: &[&ItemReport], own_files: bool) -> Vec<FileRow> {
    let own = items.iter().filter(|_| own_files);
    let mut own: Vec<&str> = own
        .flat_map(|item| item.files.iter().map(BagPath::as_str))
        .collect();
    own.sort_unstable();
    let shared = files
        .iter()
        .filter(|file| own.binary_search(&file.path.as_str()).is_err());
    shared.map(|file| file_row(file)).collect()
}

/// A file, named from its section's folder on.
fn file_row(file: &Receipt) -> FileRow {
    let path = file.path.to_string();
    let folder = format!("data/{}/", file.origin.section);
    FileRow {
        name: path
            .strip_prefix(folder.as_str())
            .unwrap_or(path.as_str())
            .to_owned(),
        size: on_one_line(file.bytes),
        source: visible(&file.origin.source),
        path,
    }
}

/// A file, named from its object's folder on: the object's name stands beside it.
fn own_file_row(file: &Receipt) -> FileRow {
    let mut row = file_row(file);
    if let Some((_, below)) = row.name.split_once('/') {
        row.name = below.to_owned();
    }
    row
}

fn more(hidden: usize) -> String {
    if hidden == 0 {
        String::new()
    } else {
        format!(
            "{} more are in the files above and in export.json.",
            grouped(hidden as u64)
        )
    }
}
