//! A platform of values: items whose exports take simulated time, and faults on order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::SimClock;
use crate::model::{
    BinaryRef, BundleReference, ExportId, Facts, ItemKind, ItemRef, ListResource, ObjectFacts,
    OutputFormat, Page, PartRef, Representation, Resource, Ticket, UploadFacts, UploadRole,
};
use crate::ports::{
    ApiError, Clock as _, Document, Download, ExportStatus, OpenTicket, Platform, ResumeAt,
    Started, UserDataApi,
};

/// The validator of every archive.
const VALIDATOR: &str = "\"v1\"";

/// One request, as the platform saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET status`.
    Platform,
    /// A document.
    Document(Resource, Representation),
    /// A file.
    Binary(BinaryRef),
    /// A start.
    Start(ItemRef),
    /// One ticket's status.
    Status(Ticket),
    /// Many tickets' statuses.
    Statuses(usize),
    /// The open tickets.
    OpenTickets,
    /// A download, from this offset.
    Download(Ticket, u64),
    /// A cancel.
    Cancel(Ticket),
    /// A delete.
    Delete(Ticket),
}

/// What becomes of a request instead of its answer.
#[derive(Clone, Debug)]
pub enum Script {
    /// This error, and nothing done.
    Refuse(ApiError),
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// The body of a download: these bytes, then this error, where there is one.
    Body(Vec<u8>, Option<ApiError>),
    /// A status.
    Say(ExportStatus),
}

/// An appliance or a software bundle.
#[derive(Clone, Debug)]
pub struct FakeItem {
    /// Which.
    pub item: ItemRef,
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Its `lastModified`.
    pub last_modified: Option<String>,
    /// What its own document refers to.
    pub bundles: Option<BTreeSet<BundleReference>>,
    /// Its archive.
    pub archive: Vec<u8>,
    /// How long its export takes.
    pub takes: Duration,
    /// The size that its document gives.
    pub size: Option<u64>,
}

impl FakeItem {
    /// An item with a small archive whose export takes ten seconds.
    pub fn new(item: ItemRef) -> Self {
        Self {
            item,
            name: format!("{item}"),
            digest: "d1".to_owned(),
            last_modified: Some("2026-11-02T08:00:00.000Z".to_owned()),
            bundles: (item.kind == ItemKind::Appliance).then(BTreeSet::new),
            archive: gzip(format!("the archive of {item}").as_bytes()),
            takes: Duration::from_secs(10),
            size: None,
        }
    }
}

/// A small gzip stream.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("{error}"))
}

type Matcher = Box<dyn Fn(&Call) -> bool + Send>;

#[derive(Default)]
struct State {
    items: Vec<FakeItem>,
    files: BTreeMap<BinaryRef, Vec<u8>>,
    parts: BTreeMap<PartRef, Vec<ObjectFacts>>,
    tickets: BTreeMap<Ticket, Duration>,
    cancelled: BTreeSet<Ticket>,
    next_ticket: i64,
    calls: Vec<Call>,
    scripts: VecDeque<(Matcher, Script, usize)>,
    batch: Option<usize>,
    ranges: bool,
    lengths: bool,
    silent: bool,
    delay: Option<(usize, Duration)>,
    page: Option<usize>,
}

/// The platform. Clones share it.
#[derive(Clone)]
pub struct FakePlatform {
    clock: SimClock,
    state: Arc<Mutex<State>>,
}

impl FakePlatform {
    /// A platform with these items.
    pub fn new(clock: &SimClock, items: impl IntoIterator<Item = FakeItem>) -> Self {
        let state = State {
            items: items.into_iter().collect(),
            next_ticket: 1,
            ..State::default()
        };
        Self {
            clock: clock.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// It has `exports/statuses`.
    #[must_use]
    pub fn with_batch(self) -> Self {
        self.with_batch_of(usize::MAX)
    }

    /// It has `exports/statuses`, which knows no more than so many of the tickets.
    #[must_use]
    pub fn with_batch_of(self, most: usize) -> Self {
        self.state().batch = Some(most);
        self
    }

    /// It lists no more than so many items at a time.
    #[must_use]
    pub fn with_pages_of(self, most: usize) -> Self {
        self.state().page = Some(most);
        self
    }

    /// It takes ranges with a validator.
    #[must_use]
    pub fn with_ranges(self) -> Self {
        self.state().ranges = true;
        self
    }

    /// It says how long a download is.
    #[must_use]
    pub fn with_lengths(self) -> Self {
        self.state().lengths = true;
        self
    }

    /// It gives no percentages.
    #[must_use]
    pub fn without_percentages(self) -> Self {
        self.state().silent = true;
        self
    }

    /// Every `nth` answer with statuses takes so much longer to come.
    pub fn delay_every(&self, nth: usize, delay: Duration) {
        self.state().delay = Some((nth, delay));
    }

    /// It has this file.
    #[must_use]
    pub fn with_file(self, file: BinaryRef, bytes: Vec<u8>) -> Self {
        self.state().files.insert(file, bytes);
        self
    }

    /// It has this document below an item, which holds these objects.
    #[must_use]
    pub fn with_part(self, part: PartRef, objects: Vec<ObjectFacts>) -> Self {
        self.state().parts.insert(part, objects);
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next `times` requests that match come to this.
    pub fn script(
        &self,
        times: usize,
        matches: impl Fn(&Call) -> bool + Send + 'static,
        script: Script,
    ) {
        self.state()
            .scripts
            .push_back((Box::new(matches), script, times));
    }

    /// Forgets the scripts that are left.
    pub fn forget_scripts(&self) {
        self.state().scripts.clear();
    }

    /// Changes an item.
    pub fn change(&self, item: ItemRef, change: impl FnOnce(&mut FakeItem)) {
        if let Some(found) = self
            .state()
            .items
            .iter_mut()
            .find(|known| known.item == item)
        {
            change(found);
        }
    }

    /// Adds an item.
    pub fn add(&self, item: FakeItem) {
        self.state().items.push(item);
    }

    /// Takes an item away.
    pub fn remove(&self, item: ItemRef) {
        self.state().items.retain(|known| known.item != item);
    }

    /// Puts a ticket there, as another client would.
    pub fn foreign_ticket(&self, item: ItemRef) -> Ticket {
        let elapsed = self.clock.elapsed();
        self.state().new_ticket(item, elapsed)
    }

    /// The open tickets.
    pub fn tickets(&self) -> Vec<Ticket> {
        self.state().tickets.keys().copied().collect()
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many requests match.
    pub fn count(&self, matches: impl Fn(&Call) -> bool) -> usize {
        self.state()
            .calls
            .iter()
            .filter(|call| matches(call))
            .count()
    }

    fn latency_of(&self, call: &Call) -> Duration {
        let state = self.state();
        let is_poll = |call: &Call| matches!(call, Call::Status(_) | Call::Statuses(_));
        let polls = || state.calls.iter().filter(|call| is_poll(call)).count();
        let delay = state
            .delay
            .filter(|(nth, _)| is_poll(call) && polls() % nth == 0);
        Duration::from_millis(1) + delay.map_or(Duration::ZERO, |(_, delay)| delay)
    }

    async fn receive(&self, call: Call) -> Option<Script> {
        self.clock.sleep(self.latency_of(&call)).await;
        let mut state = self.state();
        state.calls.push(call.clone());
        let found = state
            .scripts
            .iter_mut()
            .find(|(matches, _, times)| *times > 0 && matches(&call));
        found.map(|(_, script, times)| {
            *times -= 1;
            script.clone()
        })
    }

    fn status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        let state = self.state();
        let started = *state
            .tickets
            .get(&ticket)
            .ok_or_else(|| missing("GET status"))?;
        let takes = state.item(ticket.item)?.takes;
        let age = self.clock.elapsed().saturating_sub(started);
        let percent = (age.as_millis() * 100)
            .checked_div(takes.as_millis())
            .unwrap_or(100)
            .min(100);
        let cancelled = state.cancelled.contains(&ticket);
        Ok(ExportStatus {
            complete: age >= takes && !cancelled,
            cancelled,
            percentage: i64::try_from(percent).ok().filter(|_| !state.silent),
            ..ExportStatus::default()
        })
    }
}

impl State {
    fn item(&self, item: ItemRef) -> Result<&FakeItem, ApiError> {
        self.items
            .iter()
            .find(|known| known.item == item)
            .ok_or_else(|| missing("an item"))
    }

    fn new_ticket(&mut self, item: ItemRef, elapsed: Duration) -> Ticket {
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

    fn facts(&self, resource: Resource) -> Result<Facts, ApiError> {
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

fn request_of(what: Resource) -> String {
    match what {
        Resource::List(list, Page::Whole) => format!("GET users/john/{}", list.name()),
        other => format!("GET {other:?}"),
    }
}

fn missing(request: &str) -> ApiError {
    ApiError::NotFound {
        request: request.to_owned(),
        status: 404,
        message: None,
    }
}

fn lost(request: &str) -> ApiError {
    ApiError::NoAnswer {
        request: request.to_owned(),
        sent: true,
        detail: "reset".to_owned(),
    }
}

#[async_trait]
impl UserDataApi for FakePlatform {
    async fn platform(&self) -> Result<Platform, ApiError> {
        match self.receive(Call::Platform).await {
            Some(Script::Refuse(error)) => Err(error),
            _ => Ok(Platform {
                version: Some("3.8.13".to_owned()),
            }),
        }
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Document(what, form)).await {
            return Err(error);
        }
        let facts = self.state().facts(what)?;
        let bytes = match form {
            Representation::Xml => format!("<?xml version=\"1.0\"?><document of=\"{what:?}\"/>"),
            Representation::Json => {
                serde_json::json!({ "document": format!("{what:?}") }).to_string()
            }
        };
        Ok(Document {
            bytes: bytes.into(),
            media_type: form.media_type().to_owned(),
            request: request_of(what),
            facts: if form == Representation::Xml {
                facts
            } else {
                Facts::default()
            },
        })
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        let script = self.receive(Call::Binary(what)).await;
        let bytes = self.state().files.get(&what).cloned();
        let bytes = match script {
            Some(Script::Refuse(error)) => return Err(error),
            Some(Script::Body(bytes, _)) => bytes,
            _ => bytes.ok_or_else(|| missing("GET binary"))?,
        };
        Ok(Download {
            media_type: "image/png".to_owned(),
            length: Some(bytes.len() as u64),
            starts_at: 0,
            validator: None,
            request: format!("GET {what:?}"),
            body: stream::iter([Ok(bytes.into())]).boxed(),
        })
    }

    async fn start_export(&self, item: ItemRef, _: OutputFormat) -> Result<Started, ApiError> {
        let script = self.receive(Call::Start(item)).await;
        if let Some(Script::Refuse(error)) = script {
            return Err(error);
        }
        let ticket = {
            let elapsed = self.clock.elapsed();
            let mut state = self.state();
            state.item(item)?;
            state.new_ticket(item, elapsed)
        };
        match script {
            Some(Script::LoseAnswer) => Err(lost("POST exports")),
            Some(Script::Say(status)) => Ok(Started { ticket, status }),
            _ => Ok(Started {
                ticket,
                status: self.status(ticket)?,
            }),
        }
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        match self.receive(Call::Status(ticket)).await {
            Some(Script::Refuse(error)) => Err(error),
            Some(Script::Say(status)) => Ok(status),
            _ => self.status(ticket),
        }
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        self.receive(Call::Statuses(tickets.len())).await;
        let most = self.state().batch;
        let most = most.ok_or_else(|| missing("GET exports/statuses"))?;
        Ok(tickets
            .iter()
            .take(most)
            .filter_map(|ticket| Some((*ticket, self.status(*ticket).ok()?)))
            .collect())
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::OpenTickets).await {
            return Err(error);
        }
        let appliances = self
            .tickets()
            .into_iter()
            .filter(|ticket| ticket.item.kind == ItemKind::Appliance);
        Ok(appliances
            .map(|ticket| OpenTicket {
                ticket,
                status: self.status(ticket).unwrap_or_default(),
            })
            .collect())
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        let offset = from.as_ref().map_or(0, |from| from.offset);
        let is_known = from.is_none_or(|from| from.validator == VALIDATOR);
        let script = self.receive(Call::Download(ticket, offset)).await;
        if !self.status(ticket)?.complete {
            return Err(ApiError::Refused {
                request: "GET downloads".to_owned(),
                status: 400,
                message: None,
            });
        }
        let archive = self.state().item(ticket.item)?.archive.clone();
        let ranges = self.state().ranges;
        let starts_at = if ranges && is_known { offset } else { 0 };
        let (bytes, error) = match script {
            Some(Script::Refuse(error)) => return Err(error),
            Some(Script::Body(bytes, error)) => (bytes, error),
            _ => (
                archive
                    .get(usize::try_from(starts_at).unwrap_or(0)..)
                    .unwrap_or_default()
                    .to_vec(),
                None,
            ),
        };
        let chunks: Vec<_> = bytes
            .chunks(7)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .chain(error.map(Err))
            .collect();
        Ok(Download {
            media_type: "application/gzip".to_owned(),
            length: self.state().lengths.then_some(bytes.len() as u64),
            starts_at,
            validator: ranges.then(|| VALIDATOR.to_owned()),
            request: format!("GET {ticket}"),
            body: stream::iter(chunks).boxed(),
        })
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Cancel(ticket)).await {
            return Err(error);
        }
        let is_running = !self.status(ticket)?.complete;
        if is_running && ticket.item.kind == ItemKind::Appliance {
            self.state().cancelled.insert(ticket);
        }
        Ok(())
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Delete(ticket)).await {
            return Err(error);
        }
        self.state().tickets.remove(&ticket);
        Ok(())
    }
}
