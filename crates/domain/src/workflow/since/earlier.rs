//! What an earlier bag says of the items in it. It may come from anywhere: an item that it does not describe well is not taken from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use thiserror::Error;

use crate::bag::layout;
use crate::bag::verify::{RecordedExport, RecordedFile, RecordedItem};
use crate::model::{
    EarlierBag, ItemKind, ItemRef, ObjectId, OutputFormat, Section, Sha256, UserId,
};
use crate::ports::{BagDescription, BagReadError, BagReader};

/// Requests as they are recorded are not longer.
const LONGEST_SOURCE_BYTES: usize = 2_000;

/// Why nothing can be taken from an earlier bag.
#[derive(Debug, Error)]
pub enum EarlierBagError {
    /// It cannot be read, or is damaged.
    #[error(transparent)]
    Read(#[from] BagReadError),
    /// It does not say whose data it holds, or from where.
    #[error("it does not say whose data it holds, and from where")]
    Nameless,
    /// It was made of something else.
    #[error("it holds the data of `{user}` at `{source_url}`, not of `{wanted}` at `{wanted_url}`")]
    OtherBag {
        /// Whose data, as it says.
        user: String,
        /// From where, as it says.
        source_url: String,
        /// Whose data are exported.
        wanted: UserId,
        /// From where.
        wanted_url: String,
    },
}

/// What an earlier bag says of its items.
#[derive(Clone, Debug)]
pub struct Earlier {
    identity: EarlierBag,
    output_format: Option<String>,
    items: BTreeMap<ItemRef, EarlierItem>,
}

/// An earlier bag, and what it says of itself.
#[derive(Clone, Copy)]
pub struct Since<'a> {
    /// The bag.
    pub bag: &'a dyn BagReader,
    /// What it says, as [`read_earlier`] read it.
    pub earlier: &'a Earlier,
}

/// One of its items.
#[derive(Clone, Debug)]
pub(super) struct EarlierItem {
    pub(super) digest: Option<String>,
    pub(super) last_modified: Option<String>,
    /// Its archive, or why there is none that could be taken.
    pub(super) archive: Result<EarlierArchive, Unusable>,
    /// It changed while the bag was made, and was exported once more: what was exported before that may hold the older state.
    pub(super) was_exported_again: bool,
}

/// An archive in an earlier bag, as `export.json` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierArchive {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: Sha256,
    pub(crate) source: String,
    pub(crate) fetched: Timestamp,
}

/// Why an item cannot be taken from an earlier bag, whatever the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Unusable {
    /// Not all of it is there.
    #[error("it is not complete in the earlier bag")]
    Incomplete,
    /// What is there may be an older state than the bag says.
    #[error("it changed while the earlier bag was made")]
    Changed,
    /// The bag does not say where its archive is, or where that came from.
    #[error("the earlier bag does not describe its archive well enough")]
    Undescribed,
    /// Two items of one id.
    #[error("the earlier bag describes it twice")]
    Twice,
}

/// Reads what an earlier bag says of itself, and refuses one of another person or platform. `name` is the name of its file.
pub async fn read_earlier(
    bag: &dyn BagReader,
    name: String,
    user: &UserId,
    source: &str,
) -> Result<Earlier, EarlierBagError> {
    let description = bag.description().await?;
    if let Some(what) = description.tag_damage {
        return Err(BagReadError::Damaged { what }.into());
    }
    check_source(&description.recorded, user, source)?;
    Ok(Earlier::of(&description, name))
}

fn check_source(
    recorded: &RecordedExport,
    user: &UserId,
    source: &str,
) -> Result<(), EarlierBagError> {
    let (Some(earlier_user), Some(earlier_source)) =
        (recorded.user.as_deref(), recorded.source.url.as_deref())
    else {
        return Err(EarlierBagError::Nameless);
    };
    if earlier_user == user.as_str() && is_same_platform(earlier_source, source) {
        return Ok(());
    }
    Err(EarlierBagError::OtherBag {
        user: earlier_user.to_owned(),
        source_url: earlier_source.to_owned(),
        wanted: user.clone(),
        wanted_url: source.to_owned(),
    })
}

fn is_same_platform(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.strip_suffix('/').unwrap_or(url).to_owned();
    bare(one) == bare(other)
}

impl Earlier {
    fn of(description: &BagDescription, name: String) -> Self {
        let recorded = &description.recorded;
        let files = archives_of(&recorded.files);
        let mut items: BTreeMap<ItemRef, EarlierItem> = BTreeMap::new();
        for found in &recorded.items {
            let Some(item) = item_of(found) else {
                continue;
            };
            let described = EarlierItem::of(item, found, &files);
            items
                .entry(item)
                .and_modify(|first| first.archive = Err(Unusable::Twice))
                .or_insert(described);
        }
        Self {
            identity: EarlierBag {
                name,
                export_json_sha256: description.export_json_sha256,
            },
            output_format: recorded.output_format.clone(),
            items,
        }
    }

    /// Which bag it is.
    pub fn identity(&self) -> &EarlierBag {
        &self.identity
    }

    /// Whether its archives were made with this `outputFormat`. A bag that does not say so was not.
    pub fn is_of_format(&self, format: OutputFormat) -> bool {
        self.output_format.as_deref() == Some(format.as_str())
    }

    pub(super) fn item(&self, item: ItemRef) -> Option<&EarlierItem> {
        self.items.get(&item)
    }
}

/// Archives by their paths; `None` where a path is listed twice.
type Files<'a> = BTreeMap<&'a str, Option<&'a RecordedFile>>;

fn archives_of(files: &[RecordedFile]) -> Files<'_> {
    let mut archives = Files::new();
    for file in files.iter().filter(|file| layout::is_archive(&file.path)) {
        archives
            .entry(&file.path)
            .and_modify(|first| *first = None)
            .or_insert(Some(file));
    }
    archives
}

fn item_of(recorded: &RecordedItem) -> Option<ItemRef> {
    let kinds = [ItemKind::Appliance, ItemKind::MySoftware].into_iter();
    let section = recorded.section.as_deref()?;
    let kind = kinds
        .into_iter()
        .find(|kind| Section::of_items(*kind).name() == section)?;
    let id = ObjectId::try_from(recorded.id?).ok()?;
    Some(ItemRef { kind, id })
}

impl EarlierItem {
    fn of(item: ItemRef, recorded: &RecordedItem, files: &Files<'_>) -> Self {
        let section = Section::of_items(item.kind);
        let numbered = recorded.files.iter().filter_map(|path| {
            let number = layout::archive_number(path, section, item.id)?;
            Some((number, path))
        });
        // Of several, the last is of the state that was read last.
        let last = numbered.max_by_key(|(number, _)| *number);
        let archive = if recorded.status.as_deref() != Some("complete") {
            Err(Unusable::Incomplete)
        } else if recorded.changed_during_export {
            Err(Unusable::Changed)
        } else {
            last.and_then(|(_, path)| archive(path, section, files))
                .ok_or(Unusable::Undescribed)
        };
        Self {
            digest: recorded.digest.clone(),
            last_modified: recorded.last_modified.clone(),
            archive,
            was_exported_again: last.is_some_and(|(number, _)| number > 1),
        }
    }
}

fn archive(path: &str, section: Section, files: &Files<'_>) -> Option<EarlierArchive> {
    let file = (*files.get(path)?)?;
    if file.section.as_deref() != Some(section.name()) {
        return None;
    }
    Some(EarlierArchive {
        path: path.to_owned(),
        bytes: file.bytes,
        sha256: file.sha256,
        source: file.source.clone().filter(|source| is_request(source))?,
        fetched: file.fetched.as_deref()?.parse().ok()?,
    })
}

/// A method and a path, without a query.
fn is_request(source: &str) -> bool {
    let path = source.strip_prefix("GET ").unwrap_or_default();
    let is_odd = |c: char| c.is_control() || c == '?';
    !path.is_empty() && source.len() <= LONGEST_SOURCE_BYTES && !path.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_no_other_platform() {
        let url = "https://uforge.example.com/api";
        assert!(is_same_platform(url, "https://uforge.example.com/api/"));
        assert!(is_same_platform("https://uforge.example.com/api/", url));
        for other in [
            "https://uforge.example.com/api//",
            "http://uforge.example.com/api",
            "https://uforge.example.com/ufws",
            "https://uforge.example.com:8443/api",
            "",
        ] {
            assert!(!is_same_platform(url, other), "{other}");
        }
    }

    #[test]
    fn only_a_request_is_taken_for_one() {
        assert!(is_request(
            "GET users/john/appliances/201/exports/12/downloads"
        ));
        for source in ["", "GET ", "GET a?signature=x", "GET a\n", "POST a", "a"] {
            assert!(!is_request(source), "{source}");
        }
        assert!(!is_request(&format!("GET {}", "a".repeat(3_000))));
    }
}
