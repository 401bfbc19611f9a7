//! Where every file of a bag lies (docs/export.md), as functions from what it is to its [`BagPath`].
//!
//! No name in here is taken from outside as it is: ids are numbers, names are slugs, endings are slugs.

use crate::model::{
    BagPath, ItemKind, ObjectId, PartRef, Representation, SafeName, Section, SectionKind, slug,
};

/// The folder of the payload (RFC 8493 §2.1.2).
const PAYLOAD: &str = "data";
/// The folder of the pages for people.
const VIEW: &str = "view";
/// Numbers beyond this all read the same: no list has so many pages, and a name stays within its 100 bytes.
const LAST_NUMBER: usize = 9_999_999;

/// A tag file that every bag has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `bagit.txt` (RFC 8493 §2.1.1).
    Declaration,
    /// `bag-info.txt` (RFC 8493 §2.2.2).
    Info,
    /// `manifest-sha256.txt` (RFC 8493 §2.1.3).
    PayloadManifest,
    /// `tagmanifest-sha256.txt` (RFC 8493 §2.2.1).
    TagManifest,
    /// `export.json`, for programs.
    ExportJson,
    /// `index.html`, for people.
    IndexHtml,
}

impl Tag {
    /// Its name, which is also its path in the bag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declaration => "bagit.txt",
            Self::Info => "bag-info.txt",
            Self::PayloadManifest => "manifest-sha256.txt",
            Self::TagManifest => "tagmanifest-sha256.txt",
            Self::ExportJson => "export.json",
            Self::IndexHtml => "index.html",
        }
    }

    /// Its path in the bag.
    pub fn path(self) -> BagPath {
        path(self.name())
    }
}

/// The folder of a section.
pub fn section_folder(section: Section) -> BagPath {
    path(&format!("{PAYLOAD}/{section}"))
}

/// The document of a section's list, or of one page of it: `appliances.xml`, `appliances-2.xml` … Of the profile: `user.xml`.
///
/// Pages count from 1.
pub fn list_document(section: Section, page: usize, form: Representation) -> BagPath {
    let stem = match section.info().kind {
        SectionKind::Profile => "user",
        SectionKind::CloudAccounts => "accounts",
        SectionKind::WorkspaceComments => "comments",
        SectionKind::Items(_) | SectionKind::List(_) => section.name(),
    };
    section_folder(section).join(&document(stem, page, form))
}

/// The folder of one object: `<id>-<slug of its name>`.
pub fn object_folder(section: Section, id: ObjectId, name: &str) -> BagPath {
    section_folder(section).join(&SafeName::of_object(id, name))
}

/// The document of one object in its folder: `appliance.xml`, `mysoftware.xml`, `account.xml`.
pub fn object_document(folder: &BagPath, section: Section, form: Representation) -> BagPath {
    object_document_again(folder, section, 1, form)
}

/// The same, read once more because the object changed during the run: `appliance-2.xml` for `time` 2.
pub fn object_document_again(
    folder: &BagPath,
    section: Section,
    time: usize,
    form: Representation,
) -> BagPath {
    folder.join(&document(stem_of_object(section), time, form))
}

fn stem_of_object(section: Section) -> &'static str {
    match section.info().kind {
        SectionKind::Profile => "user",
        SectionKind::Items(ItemKind::Appliance) => "appliance",
        SectionKind::Items(ItemKind::MySoftware) => "mysoftware",
        SectionKind::CloudAccounts => "account",
        SectionKind::List(_) | SectionKind::WorkspaceComments => "object",
    }
}

/// How often an object had been read when it was described by this file: 1 for `appliance.xml`, 2 for `appliance-2.xml`. `None` for
/// a file that is not the document of one of the section's objects in this form.
pub fn time_of_object_document(
    path: &BagPath,
    section: Section,
    form: Representation,
) -> Option<usize> {
    let file = path.as_str().rsplit('/').next()?;
    let stem = file.strip_suffix(form.ending())?.strip_suffix('.')?;
    match stem.strip_prefix(stem_of_object(section))? {
        "" => Some(1),
        number => number.strip_prefix('-')?.parse().ok(),
    }
}

/// A page of `view/`: `appliances.html`, `appliances-2.html` … Pages count from 1.
pub fn view_page(section: Section, page: usize) -> BagPath {
    path(VIEW).join(&name(&format!("{section}{}.html", suffix(page))))
}

/// The archive that the platform makes of an item: `archive.tar.gz`; `archive-2.tar.gz` where it was exported once more.
pub fn archive(folder: &BagPath, time: usize) -> BagPath {
    folder.join(&name(&format!("archive{}.tar.gz", suffix(time))))
}

/// Whether a file of a bag is an archive that the platform made, and so a complete gzip file.
pub fn is_archive(path: &str) -> bool {
    let is_of_items = [Section::Appliances, Section::MySoftware]
        .iter()
        .any(|&section| path.starts_with(section_folder(section).as_str()));
    // What an item has below `fallback/` may be called so too.
    let is_named_so = path.ends_with(".tar.gz") && path.split('/').count() == 4;
    is_of_items && is_named_so && BagPath::parse(path).is_ok()
}

/// Where the parts of an item lie of which the platform could give no archive.
pub fn fallback_folder(folder: &BagPath) -> BagPath {
    folder.join(&name("fallback"))
}

/// The document of a part of an item, or of one page of it: where it is below the item on the platform, it is below `fallback/`.
/// Pages count from 1.
pub fn part_document(
    folder: &BagPath,
    part: PartRef,
    page: usize,
    form: Representation,
) -> BagPath {
    let mut segments = part.segments();
    let last = segments.pop().unwrap_or_default();
    below(&fallback_folder(folder), &segments).join(&document(&last, page, form))
}

/// A file of an item: `bootscripts/<id>-<file name>` below `fallback/`.
pub fn part_file(folder: &BagPath, part: PartRef, file_name: &str) -> BagPath {
    let mut segments = part.segments();
    if part.kind().below_item().ends_with("/bin") {
        segments.pop();
    }
    segments.pop();
    let place = below(&fallback_folder(folder), &segments);
    match part.ids().last() {
        Some(id) => place.join(&SafeName::of_file(*id, file_name)),
        None => place.join(&name(&slug(file_name))),
    }
}

/// A folder in this one. Segments are words of the table of resources, and ids.
fn below(folder: &BagPath, segments: &[String]) -> BagPath {
    let segments = segments.iter();
    segments.fold(folder.clone(), |path, segment| path.join(&name(segment)))
}

/// Whether pages for people are made from a file: documents, and pictures, which they show.
pub fn is_shown(path: &BagPath) -> bool {
    let file = path.as_str().rsplit('/').next().unwrap_or_default();
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_document = matches!(ending, "xml" | "json");
    is_document || is_picture(path)
}

/// Whether a file is a photo or a logo, as its uploader says.
pub fn is_picture(path: &BagPath) -> bool {
    let file = path.as_str().rsplit('/').next().unwrap_or_default();
    file.starts_with("photo.") || file.starts_with("logo.")
}

/// Which of the item's archives a path is, from 1, where it is one of this item's: see [`archive`].
pub fn archive_number(path: &str, section: Section, id: ObjectId) -> Option<usize> {
    let below = path.strip_prefix(section_folder(section).as_str())?;
    let (folder, name) = below.strip_prefix('/')?.split_once('/')?;
    let rest = folder.strip_prefix(&id.to_string())?;
    if !rest.is_empty() && !rest.starts_with('-') {
        return None;
    }
    match name.strip_prefix("archive")?.strip_suffix(".tar.gz")? {
        "" => Some(1),
        number => {
            let number = number.strip_prefix('-')?.parse().ok()?;
            (number > 1).then_some(number)
        }
    }
}

/// The user's photo; `ending` as [`ending_of`] says it.
pub fn photo(ending: &str) -> BagPath {
    section_folder(Section::Profile).join(&with_ending("photo", ending))
}

/// The logo of an item; `ending` as [`ending_of`] says it.
pub fn logo(folder: &BagPath, ending: &str) -> BagPath {
    folder.join(&with_ending("logo", ending))
}

/// A certificate or key file of a cloud account: `certificates/<id>-<name>`.
pub fn certificate(folder: &BagPath, id: ObjectId, file_name: &str) -> BagPath {
    folder
        .join(&name("certificates"))
        .join(&SafeName::of_file(id, file_name))
}

/// The comments of a workspace (`comments.xml` in its folder) or, where one is given, of a template shared in it
/// (`<id>-<slug>.xml`). Pages count from 1.
pub fn comments(
    folder: &BagPath,
    template: Option<(ObjectId, &str)>,
    page: usize,
    form: Representation,
) -> BagPath {
    let file = match template {
        None => document("comments", page, form),
        Some((id, template_name)) => {
            document(SafeName::of_object(id, template_name).as_str(), page, form)
        }
    };
    folder.join(&file)
}

/// Media types and endings; the first row of a media type or an ending counts.
const MEDIA_TYPES: [(&str, &str); 13] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/jpg", "jpg"),
    ("image/jpeg", "jpeg"),
    ("image/gif", "gif"),
    ("image/svg+xml", "svg"),
    ("image/webp", "webp"),
    ("image/bmp", "bmp"),
    ("image/x-icon", "ico"),
    ("image/vnd.microsoft.icon", "ico"),
    ("application/xml", "xml"),
    ("application/json", "json"),
    ("application/gzip", "gz"),
];

/// The ending of files of a media type, parameters allowed: `bin` for what is not known.
pub fn ending_of(media_type: &str) -> &'static str {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    MEDIA_TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(essence))
        .map_or("bin", |(_, ending)| ending)
}

fn document(stem: &str, number: usize, form: Representation) -> SafeName {
    name(&format!("{stem}{}.{}", suffix(number), form.ending()))
}

/// `-2` of a second page or a second export; the first has none.
fn suffix(number: usize) -> String {
    match number.min(LAST_NUMBER) {
        0 | 1 => String::new(),
        number => format!("-{number}"),
    }
}

fn with_ending(stem: &str, ending: &str) -> SafeName {
    name(&format!("{stem}.{}", slug(ending)))
}

#[expect(
    clippy::expect_used,
    reason = "every caller builds it of this file's own words, numbers, slugs and safe names"
)]
fn name(text: &str) -> SafeName {
    SafeName::parse(text).expect("made of safe parts that are short enough")
}

#[expect(
    clippy::expect_used,
    reason = "every caller builds it of this file's own words and of section names"
)]
fn path(text: &str) -> BagPath {
    BagPath::parse(text).expect("made of safe parts")
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
