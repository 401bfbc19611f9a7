//! What the platform knows: its items, its tickets, and what its answers are to be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::call::{Call, Script};
use super::item::FakeItem;
use crate::model::{
    BinaryRef, ExportId, Facts, ItemKind, ItemRef, ListResource, ObjectFacts, Page, PartRef,
    Resource, Ticket, UploadFacts, UploadRole,
};
use crate::ports::ApiError;

pub(super) type Matcher = Box<dyn Fn(&Call) -> bool + Send>;

/// What the list of exports holds, as data of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ExportList {
    #[default]
    Nothing,
    /// The tickets of appliances.
    Tickets,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) items: Vec<FakeItem>,
    pub(super) files: BTreeMap<BinaryRef, Vec<u8>>,
    pub(super) parts: BTreeMap<PartRef, Vec<ObjectFacts>>,
    pub(super) tickets: BTreeMap<Ticket, Duration>,
    pub(super) cancelled: BTreeSet<Ticket>,
    pub(super) downloaded: BTreeSet<Ticket>,
    pub(super) next_ticket: i64,
    pub(super) calls: Vec<Call>,
    pub(super) scripts: VecDeque<(Matcher, Script, usize)>,
    pub(super) batch: Option<usize>,
    pub(super) ranges: bool,
    pub(super) lengths: bool,
    pub(super) silent: bool,
    pub(super) export_list: ExportList,
    pub(super) delay: Option<(usize, Duration)>,
    pub(super) page: Option<usize>,
}

impl State {
    pub(super) fn item(&self, item: ItemRef) -> Result<&FakeItem, ApiError> {
        self.items
            .iter()
            .find(|known| known.item == item)
            .ok_or_else(|| missing("an item"))
    }

    pub(super) fn new_ticket(&mut self, item: ItemRef, elapsed: Duration) -> Ticket {
        let id = ExportId::try_from(self.next_ticket).unwrap_or_else(|error| panic!("{error}"));
        self.next_ticket += 1;
        let ticket = Ticket { item, id };
        self.tickets.insert(ticket, elapsed);
        ticket
    }

    /// The photos among the files, as the profile names them.
    fn photos(&self) -> Vec<UploadFacts> {
        let photo = |(file, bytes): (&BinaryRef, &Vec<u8>)| match file {
            BinaryRef::Photo(id) => Some(UploadFacts {
                role: UploadRole::Photo,
                id: Some(id.get()),
                name: Some("me.png".to_owned()),
                uploaded: true,
                size: Some(bytes.len() as u64),
                sha256: None,
                md5: None,
                media_type: None,
            }),
            BinaryRef::Logo(..) | BinaryRef::Certificate { .. } | BinaryRef::Part(_) => None,
        };
        self.files.iter().filter_map(photo).collect()
    }

    pub(super) fn facts(&self, resource: Resource) -> Result<Facts, ApiError> {
        let object = |item: &FakeItem| ObjectFacts {
            id: Some(item.item.id.get()),
            name: Some(item.name.clone()),
            digest: Some(item.digest.clone()),
            last_modified: item.last_modified.clone(),
            size: item.size,
            ..ObjectFacts::default()
        };
        let of_kind = |kind, page| {
            let offset = match page {
                Page::Whole => 0,
                Page::From { offset, .. } => usize::try_from(offset).unwrap_or(usize::MAX),
            };
            self.items
                .iter()
                .filter(move |item| item.item.kind == kind)
                .skip(offset)
                .take(self.page.unwrap_or(usize::MAX))
                .map(object)
                .collect()
        };
        let objects = match resource {
            Resource::User => vec![ObjectFacts {
                name: Some("john".to_owned()),
                login: Some("john".to_owned()),
                uploads: self.photos(),
                ..ObjectFacts::default()
            }],
            Resource::List(list @ (ListResource::Appliances | ListResource::MySoftware), page)
                if page == Page::Whole || self.page.is_some() =>
            {
                let is_appliances = list == ListResource::Appliances;
                let kind = if is_appliances {
                    ItemKind::Appliance
                } else {
                    ItemKind::MySoftware
                };
                of_kind(kind, page)
            }
            Resource::List(ListResource::Exports, Page::Whole)
                if self.export_list == ExportList::Tickets =>
            {
                let tickets = self.tickets.keys();
                let tickets = tickets.filter(|ticket| ticket.item.kind == ItemKind::Appliance);
                let object = |ticket: &Ticket| ObjectFacts {
                    id: Some(ticket.id.get()),
                    ..ObjectFacts::default()
                };
                tickets.map(object).collect()
            }
            Resource::Item(item) => {
                let item = self.item(item)?;
                vec![ObjectFacts {
                    bundles: item.bundles.clone(),
                    ..object(item)
                }]
            }
            Resource::Part(part, Page::Whole) => self
                .parts
                .get(&part)
                .cloned()
                .ok_or_else(|| missing(&format!("GET {part}")))?,
            Resource::CloudAccount(_) => return Err(missing("GET accounts")),
            _ => Vec::new(),
        };
        Ok(Facts {
            objects,
            total: None,
        })
    }
}

/// There is no such thing.
pub(super) fn missing(request: &str) -> ApiError {
    ApiError::NotFound {
        request: request.to_owned(),
        status: 404,
        message: None,
    }
}
