//! A call and its answer, and what every kind of call needs to read one and to make the other.

use bytes::Bytes;

use crate::archive::Archive;
use crate::document::{Element, number};
use crate::scenario::{Damage, ItemKind, Ranges};

use super::collections::Collection;
use super::items::Item;
use super::people::{Caller, Resident};
use super::query::{Query, page};
use super::refusal::Refusal;
use super::state::Shared;

/// One request, as the platform understands it: no bytes, no headers.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    /// The segments of the path relative to the base, decoded.
    pub(crate) path: &'a [String],
    pub(crate) query: &'a Query,
    /// Nobody, where the request came without credentials.
    pub(crate) caller: Option<&'a Caller>,
    /// The body, where it was read.
    pub(crate) body: Option<&'a Bytes>,
}

/// What the platform gives.
pub(crate) enum Answer {
    Document {
        status: u16,
        root: Element,
    },
    Binary {
        bytes: Bytes,
        media_type: &'static str,
    },
    Archive(ArchiveAnswer),
    Nothing,
}

pub(crate) struct ArchiveAnswer {
    pub(crate) archive: Archive,
    pub(crate) file_name: String,
    /// A strong validator, where parts may be asked for.
    pub(crate) etag: Option<String>,
    pub(crate) damage: Option<Damage>,
}

pub(super) type Result<T> = std::result::Result<T, Refusal>;

pub(super) fn document(root: Element) -> Answer {
    Answer::Document { status: 200, root }
}

/// The part of a collection that a request asks for, as the collection's document.
pub(super) fn paged<T>(
    shared: &Shared,
    collection: &Collection,
    (entries, make): (Vec<T>, impl FnMut(T) -> Element),
    query: &Query,
) -> Element {
    let cap = shared.scenario.lists.page_cap;
    let (entries, total) = page(entries, make, (collection.paging, query), cap);
    let total = collection.counts().then_some(total);
    list(
        collection.root,
        collection.wrapper,
        collection.item,
        entries,
        total,
    )
}

pub(super) fn list(
    root: &'static str,
    wrapper: &'static str,
    item: &'static str,
    entries: Vec<Element>,
    total: Option<usize>,
) -> Element {
    let mut children: Vec<Element> = total
        .map(|total| number("total", i64::try_from(total).unwrap_or(i64::MAX)))
        .into_iter()
        .collect();
    children.push(Element::list(wrapper, item, entries));
    Element::object(root, children)
}

pub(super) fn kind_of(collection: &str) -> Option<ItemKind> {
    match collection {
        "appliances" => Some(ItemKind::Appliance),
        "mysoftware" => Some(ItemKind::Software),
        "accounts" => Some(ItemKind::Account),
        _ => None,
    }
}

pub(super) fn item_at<'a>(
    resident: &'a Resident,
    collection: &str,
    wanted: &str,
) -> Result<&'a Item> {
    let missing = || Refusal::not_found("such item");
    resident
        .item(kind_of(collection).ok_or_else(missing)?, id(wanted)?)
        .ok_or_else(missing)
}

pub(super) fn id(segment: &str) -> Result<i64> {
    segment.parse().map_err(|_| Refusal::not_found("such id"))
}

/// A validator for an archive, where the scenario lets parts be asked for.
pub(super) fn validator(shared: &Shared, seed: u64, bytes: u64) -> Option<String> {
    (shared.scenario.downloads.ranges == Ranges::Honoured)
        .then(|| format!("\"{seed:016x}-{bytes:x}\""))
}
