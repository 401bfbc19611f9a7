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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{ItemRef, PartKind};
    use Representation::{Json, Xml};

    fn id(number: i64) -> ObjectId {
        ObjectId::try_from(number).unwrap()
    }

    #[test]
    fn every_file_lies_where_the_contract_says() {
        let shop = object_folder(Section::Appliances, id(201), "Web shop");
        let nginx = object_folder(Section::MySoftware, id(7), "nginx");
        let aws = object_folder(Section::CloudAccounts, id(12), "AWS");
        let team = object_folder(Section::WorkspaceComments, id(3), "Team");
        for (path, expected) in [
            (
                list_document(Section::Profile, 1, Xml),
                "data/profile/user.xml",
            ),
            (
                list_document(Section::Profile, 1, Json),
                "data/profile/user.json",
            ),
            (photo("png"), "data/profile/photo.png"),
            (
                list_document(Section::Appliances, 1, Xml),
                "data/appliances/appliances.xml",
            ),
            (
                list_document(Section::Appliances, 2, Json),
                "data/appliances/appliances-2.json",
            ),
            (
                object_document(&shop, Section::Appliances, Xml),
                "data/appliances/201-web-shop/appliance.xml",
            ),
            (
                object_document_again(&shop, Section::Appliances, 2, Xml),
                "data/appliances/201-web-shop/appliance-2.xml",
            ),
            (
                archive(&shop, 1),
                "data/appliances/201-web-shop/archive.tar.gz",
            ),
            (
                archive(&shop, 2),
                "data/appliances/201-web-shop/archive-2.tar.gz",
            ),
            (logo(&shop, "svg"), "data/appliances/201-web-shop/logo.svg"),
            (
                object_document(&nginx, Section::MySoftware, Xml),
                "data/mysoftware/7-nginx/mysoftware.xml",
            ),
            (
                list_document(Section::CloudAccounts, 1, Xml),
                "data/cloud-accounts/accounts.xml",
            ),
            (
                object_document(&aws, Section::CloudAccounts, Json),
                "data/cloud-accounts/12-aws/account.json",
            ),
            (
                certificate(&aws, id(5), "My Key.pem"),
                "data/cloud-accounts/12-aws/certificates/5-my-key.pem",
            ),
            (
                list_document(Section::Roles, 1, Xml),
                "data/roles/roles.xml",
            ),
            (
                list_document(Section::PublishedImages, 3, Xml),
                "data/published-images/published-images-3.xml",
            ),
            (
                comments(&team, None, 1, Xml),
                "data/workspace-comments/3-team/comments.xml",
            ),
            (
                comments(&team, None, 2, Xml),
                "data/workspace-comments/3-team/comments-2.xml",
            ),
            (
                comments(&team, Some((id(9), "T/1")), 1, Json),
                "data/workspace-comments/3-team/9-t-1.json",
            ),
        ] {
            assert_eq!(path.as_str(), expected);
            assert!(path.is_payload());
        }
    }

    #[test]
    fn parts_lie_below_fallback_where_they_lie_below_their_item() {
        let shop = object_folder(Section::Appliances, id(201), "Web shop");
        let item = ItemRef {
            kind: ItemKind::Appliance,
            id: id(201),
        };
        let part = |path: &str, ids: &[ObjectId]| {
            let mut kinds = PartKind::all(ItemKind::Appliance);
            let kind = kinds.find(|kind| kind.below_item() == path).unwrap();
            PartRef::new(item, kind, ids).unwrap()
        };
        let base = "data/appliances/201-web-shop/fallback";
        for (path, expected) in [
            (
                part_document(&shop, part("bootscripts", &[]), 2, Xml),
                "bootscripts-2.xml",
            ),
            (
                part_document(&shop, part("installProfile/{ipid}/nics", &[id(3)]), 1, Json),
                "installProfile/3/nics.json",
            ),
            (
                part_file(&shop, part("bootscripts/{bsid}/bin", &[id(5)]), "../a.sh"),
                "bootscripts/5-a.sh",
            ),
            (
                part_file(
                    &shop,
                    part("oas/{oaspkgid}/licenses/{oaslid}", &[id(5), id(6)]),
                    "",
                ),
                "oas/5/licenses/6-unnamed",
            ),
        ] {
            assert_eq!(path.as_str(), format!("{base}/{expected}"));
        }
    }

    #[test]
    fn a_document_says_which_reading_of_its_object_it_is() {
        for (path, form, expected) in [
            ("data/appliances/1-a/appliance.xml", Xml, Some(1)),
            ("data/appliances/1-a/appliance-3.json", Json, Some(3)),
            ("data/appliances/1-a/appliance.json", Xml, None),
            ("data/appliances/appliances.xml", Xml, None),
            ("data/appliances/1-a/logo.png", Xml, None),
        ] {
            let path = BagPath::parse(path).unwrap();
            let time = time_of_object_document(&path, Section::Appliances, form);
            assert_eq!(time, expected, "{path}");
        }
    }

    #[test]
    fn pages_for_people_lie_beside_the_payload() {
        let names = [1, 2].map(|page| view_page(Section::SshKeys, page).to_string());
        assert_eq!(names, ["view/ssh-keys.html", "view/ssh-keys-2.html"]);
        assert!(!view_page(Section::Roles, 1).is_payload());
    }

    #[test]
    fn archives_are_known_by_their_place() {
        let shop = object_folder(Section::Appliances, id(201), "Web shop");
        assert!(is_archive(archive(&shop, 2).as_str()));
        assert!(!is_archive("data/appliances/201-web-shop/appliance.xml"));
        assert!(!is_archive(
            "data/cloud-accounts/1-aws/certificates/2-x.tar.gz"
        ));
        assert!(!is_archive(
            "data/mysoftware/7-nginx/fallback/artifacts/9-archive.tar.gz"
        ));
    }

    #[test]
    fn tag_files_lie_at_the_top() {
        assert_eq!(Tag::TagManifest.path().as_str(), "tagmanifest-sha256.txt");
        assert!(!Tag::ExportJson.path().is_payload());
    }

    #[test]
    fn documents_of_different_sections_never_share_a_path() {
        let all: BTreeSet<_> = Section::ALL
            .into_iter()
            .map(|section| list_document(section, 1, Xml))
            .collect();
        assert_eq!(all.len(), Section::ALL.len());
    }

    #[test]
    fn a_media_type_has_an_ending() {
        for (media_type, ending) in [
            ("image/png", "png"),
            ("image/JPEG; q=1", "jpg"),
            ("image/vnd.microsoft.icon", "ico"),
            ("text/x-../../etc/passwd", "bin"),
            ("", "bin"),
        ] {
            assert_eq!(ending_of(media_type), ending, "{media_type}");
        }
    }

    proptest! {
        #[test]
        fn hostile_names_and_numbers_still_give_paths(number in 1_i64.., text in ".{0,80}", page in any::<usize>()) {
            for section in Section::ALL {
                let folder = object_folder(section, id(number), &text);
                for path in [
                    list_document(section, page, Json),
                    comments(&folder, Some((id(number), &text)), page, Json),
                    object_document_again(&folder, section, page, Json),
                    archive(&folder, page),
                    certificate(&folder, id(number), &text),
                    logo(&folder, &text),
                    photo(&text),
                ] {
                    prop_assert!(BagPath::parse(path.as_str()).is_ok());
                }
            }
        }
    }
}
