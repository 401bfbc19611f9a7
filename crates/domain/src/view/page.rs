//! How a page looks: values for the templates in `templates/view`.

use askama::Template;

use super::object::{Field, Object, Secret, Shape, Table};
use super::value::Words;
use crate::bag::layout::view_page;
use crate::model::Section;
use crate::ports::Receipt;
use crate::report::{Report, grouped, human_bytes, visible};

/// More of the same is closed until somebody wants to see it.
const OPEN_UP_TO: usize = 12;

/// A link to a file of the payload, as pages of `view/` say it.
#[derive(Clone, Debug)]
pub(super) struct FileLink {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) size: String,
}

impl FileLink {
    /// Named by its path.
    pub(super) fn of(file: &Receipt) -> Self {
        let path = file.path.as_str();
        // A path of a bag holds only what needs no escape in an address.
        Self {
            address: format!("../{path}"),
            name: path.strip_prefix("data/").unwrap_or(path).to_owned(),
            size: human_bytes(file.bytes).replace(' ', "\u{a0}"),
        }
    }

    /// Named from its object's folder on.
    pub(super) fn within_object(file: &Receipt) -> Self {
        let link = Self::of(file);
        let below = link.name.splitn(3, '/').last().unwrap_or_default();
        Self {
            name: below.to_owned(),
            ..link
        }
    }
}

/// Why something of a document is not shown.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) file: FileLink,
}

impl Notice {
    pub(super) fn unreadable(file: &Receipt, why: Option<String>) -> Self {
        let why = why.unwrap_or_else(|| "the document could not be read back".to_owned());
        Self {
            text: visible(&why),
            file: FileLink::of(file),
        }
    }
}

/// One object on a page.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) number: Option<String>,
    pub(super) warning: String,
    pub(super) picture: Option<FileLink>,
    pub(super) files: Vec<FileLink>,
    /// Where all of its values are.
    pub(super) described_by: Option<FileLink>,
    pub(super) notice: Option<Notice>,
    pub(super) object: Object,
}

impl Entry {
    /// An object that shares its document with others.
    pub(super) fn of_list(mut object: Object, file: &Receipt, section: Section) -> Self {
        // Comments are those of several workspaces and templates, which only their files name.
        let named = Some(file).filter(|_| section == Section::WorkspaceComments);
        Self {
            name: object.name.take(),
            version: object.version.take(),
            number: object.number.take(),
            warning: String::new(),
            picture: None,
            files: named.into_iter().map(FileLink::of).collect(),
            described_by: Some(FileLink::of(file)),
            notice: None,
            object,
        }
    }
}

/// A page that is to be written.
pub(super) struct PageText<'a> {
    pub(super) section: Section,
    pub(super) report: &'a Report,
    pub(super) page: usize,
    pub(super) has_next: bool,
    /// The numbers of its first and last object in the section, from 1; the first is greater where it has none.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) entries: &'a str,
    pub(super) documents: &'a [FileLink],
    pub(super) notices: &'a [Notice],
}

#[derive(Template)]
#[template(path = "view/page.html")]
struct PageTemplate<'a> {
    user: String,
    tool_version: &'a str,
    title: &'static str,
    about: &'static str,
    name: &'static str,
    page: usize,
    range: String,
    previous: Option<String>,
    next: Option<String>,
    entries: &'a str,
    documents: &'a [FileLink],
    notices: &'a [Notice],
    redacted: bool,
}

/// A page, UTF-8.
#[expect(
    clippy::expect_used,
    reason = "the template calls nothing that can fail, and writing into memory cannot either"
)]
pub(super) fn render_page(text: &PageText<'_>) -> String {
    let info = text.section.info();
    let file = |page: usize| {
        let path = view_page(text.section, page).to_string();
        let name = path.rsplit('/').next().unwrap_or_default();
        name.to_owned()
    };
    PageTemplate {
        user: visible(text.report.user.as_str()),
        tool_version: &text.report.tool_version,
        title: info.title,
        about: info.about,
        name: info.name,
        page: text.page,
        range: range(text),
        previous: (text.page > 1).then(|| file(text.page - 1)),
        next: text.has_next.then(|| file(text.page + 1)),
        entries: text.entries,
        documents: text.documents,
        notices: text.notices,
        redacted: text.report.redacted,
    }
    .render()
    .expect("a page can be rendered into memory")
}

fn range(text: &PageText<'_>) -> String {
    let info = text.section.info();
    let (first, last) = (text.first as u64, text.last as u64);
    if text.last == 0 {
        return String::new();
    }
    if text.page == 1 && !text.has_next {
        let noun = if last == 1 { info.one } else { info.many };
        return format!("{} {noun}", grouped(last));
    }
    let (first, last) = (grouped(first), grouped(last));
    format!("{} {first} to {last}", info.many)
}

#[derive(Template)]
#[template(path = "view/entry.html")]
struct EntryTemplate<'a> {
    index: usize,
    is_profile: bool,
    heading: String,
    details: String,
    entry: &'a Entry,
    values: Values<'a>,
}

/// Adds an object to a page; `index` is its number in the section.
#[expect(
    clippy::expect_used,
    reason = "the template calls nothing that can fail, and writing into memory cannot either"
)]
pub(super) fn render_entry(section: Section, index: usize, entry: &Entry, page: &mut String) {
    let info = section.info();
    let named = entry.name.clone().filter(|name| !name.trim().is_empty());
    let version = entry
        .version
        .iter()
        .map(|version| format!("version {version}"));
    let number = entry
        .number
        .iter()
        .map(|number| format!("number\u{a0}{number}"));
    EntryTemplate {
        index,
        is_profile: section == Section::Profile,
        heading: named.unwrap_or_else(|| format!("{} {index}", sentence(info.one))),
        details: version.chain(number).collect::<Vec<_>>().join(", "),
        values: Values {
            fields: &entry.object.fields,
        },
        entry,
    }
    .render_into(page)
    .expect("an object can be rendered into memory");
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[derive(Template)]
#[template(path = "view/values.html")]
struct Values<'a> {
    fields: &'a [Field],
}

#[derive(Template)]
#[template(path = "view/shape.html")]
struct ShapeTemplate<'a> {
    label: &'a str,
    shape: &'a Shape,
}

#[derive(Template)]
#[template(path = "view/table.html")]
struct TableTemplate<'a> {
    label: &'a str,
    table: &'a Table,
}

fn shape_of(field: &Field) -> ShapeTemplate<'_> {
    ShapeTemplate {
        label: &field.label,
        shape: &field.shape,
    }
}

fn shape_in<'a>(label: &'a str, shape: &'a Shape) -> ShapeTemplate<'a> {
    ShapeTemplate { label, shape }
}

fn values_of(fields: &[Field]) -> Values<'_> {
    Values { fields }
}

fn table_of<'a>(label: &'a str, table: &'a Table) -> TableTemplate<'a> {
    TableTemplate { label, table }
}

fn is_long(count: usize) -> bool {
    count > OPEN_UP_TO
}

fn lines(words: &Words) -> bool {
    words.text.contains('\n')
}
