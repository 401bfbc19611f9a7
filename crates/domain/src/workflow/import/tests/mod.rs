//! Whole imports in simulated time, over a platform and a bag of values.

mod conflicts;
mod lost;
mod resume;
mod runs;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;

use super::{ImportError, ImportOutcome, ImportPorts, import, plan_import};
use crate::bag::verify::RecordedExport;
use crate::model::{
    BinaryRef, Facts, ImportOrder, ItemKind, ItemRef, ListResource, OnConflict, OsVersion,
    OutputFormat, Representation, Resource, Section, Selection, Tagging, Ticket,
};
use crate::ports::{
    ApiError, Document, Download, ExportStatus, ImportJournal as _, OpenTicket, Platform,
    ReadDocument, ResumeAt, Started, UserDataApi,
};
use crate::testing::{
    FakeImports, ImportCall, MemoryBag, MemoryImportJournal, MemoryJournal, RecordingProgress,
    SimClock, order,
};
use crate::workflow::context::Ports;

/// The lists of an account; nothing else is asked of it.
struct Lists(FakeImports);

fn nothing() -> ApiError {
    ApiError::NotFound {
        request: "x".to_owned(),
        status: 404,
        message: None,
    }
}

#[cfg(test)]
#[async_trait]
impl UserDataApi for Lists {
    async fn platform(&self) -> Result<Platform, ApiError> {
        Ok(Platform::default())
    }
    async fn document(&self, what: Resource, _: Representation) -> Result<Document, ApiError> {
        let objects = match what {
            Resource::List(ListResource::Appliances, _) => self.0.list(ItemKind::Appliance)?,
            Resource::List(ListResource::MySoftware, _) => self.0.list(ItemKind::MySoftware)?,
            _ => return Err(nothing()),
        };
        Ok(Document {
            bytes: Bytes::from_static(b"<x/>"),
            media_type: "application/xml".to_owned(),
            request: "GET x".to_owned(),
            facts: Facts {
                total: Some(objects.len() as u64),
                objects,
            },
        })
    }
    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        Ok(self.document(what, Representation::Xml).await?.into())
    }
    async fn binary(&self, _: BinaryRef) -> Result<Download, ApiError> {
        Err(nothing())
    }
    async fn may_start(&self, _: ItemRef) -> bool {
        true
    }
    async fn start_export(&self, _: ItemRef, _: OutputFormat) -> Result<Started, ApiError> {
        Err(nothing())
    }
    async fn export_status(&self, _: Ticket) -> Result<ExportStatus, ApiError> {
        Err(nothing())
    }
    async fn export_statuses(&self, _: &[Ticket]) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        Err(nothing())
    }
    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        Err(nothing())
    }
    async fn download(&self, _: Ticket, _: Option<ResumeAt>) -> Result<Download, ApiError> {
        Err(nothing())
    }
    async fn cancel_export(&self, _: Ticket) -> Result<(), ApiError> {
        Err(nothing())
    }
    async fn delete_export(&self, _: Ticket) -> Result<(), ApiError> {
        Err(nothing())
    }
}

/// A bag, an empty account, and an order for all of the bag.
struct World {
    clock: SimClock,
    platform: FakeImports,
    lists: Lists,
    bag: MemoryBag,
    journal: MemoryImportJournal,
    progress: RecordingProgress,
    order: ImportOrder,
}

/// Where the archive of an item lies.
fn path(section: &str, id: i64) -> String {
    format!("data/{section}/{id}-x/archive.tar.gz")
}

/// Two software bundles, three appliances, and cloud accounts.
fn world() -> World {
    let clock = SimClock::default();
    let platform = FakeImports::new(&clock);
    let items = [
        ("appliances", 201, "shop"),
        ("appliances", 202, "blog"),
        ("appliances", 203, "wiki"),
        ("mysoftware", 301, "agent"),
        ("mysoftware", 302, "theme"),
    ];
    let recorded = items.map(|(section, id, name)| {
        json!({"section": section, "id": id, "name": name, "version": "1.0",
            "status": "complete", "files": [path(section, id)]})
    });
    let recorded = json!({"format": "uforge-export/1", "items": recorded,
        "sections": [{"name": "cloud-accounts", "status": "complete", "items": 14},
            {"name": "scans", "status": "unavailable", "items": 0}]});
    let recorded = RecordedExport::read(recorded.to_string().as_bytes()).expect("export.json");
    let mut bag = MemoryBag::new(recorded);
    for (section, id, name) in items {
        let archive = format!("{name} 1.0 and all that is in it");
        bag.insert(&path(section, id), archive.as_bytes());
    }
    let mut order = order();
    order.jobs = 2;
    order.selection = Selection {
        sections: [Section::Appliances, Section::MySoftware].into(),
        appliances: None,
        mysoftware: None,
    };
    World {
        lists: Lists(platform.clone()),
        clock,
        platform,
        bag,
        journal: MemoryImportJournal::default(),
        progress: RecordingProgress::default(),
        order: ImportOrder {
            order,
            on_conflict: OnConflict::Skip,
            os_version: OsVersion::Exact,
            tagging: Tagging::Imported,
        },
    }
}

impl World {
    fn ports<'a>(&'a self, nothing: &'a MemoryJournal) -> ImportPorts<'a> {
        ImportPorts {
            ports: Ports {
                api: &self.lists,
                clock: &self.clock,
                journal: nothing,
                progress: &self.progress,
            },
            imports: &self.platform,
            bag: &self.bag,
            journal: &self.journal,
        }
    }

    fn try_import(&self) -> Result<ImportOutcome, ImportError> {
        let nothing = MemoryJournal::default();
        self.clock.run(import(self.ports(&nothing), &self.order))
    }

    fn import(&self) -> ImportOutcome {
        self.try_import().expect("an outcome")
    }

    fn plan(&self) -> ImportOutcome {
        let nothing = MemoryJournal::default();
        let plan = plan_import(self.ports(&nothing), &self.order);
        self.clock.run(plan).expect("a plan")
    }

    /// Everything of the bag is there once, and no ticket is left.
    #[track_caller]
    fn check_all_there(&self) {
        let names = |kind| self.platform.names(kind);
        assert_eq!(names(ItemKind::MySoftware), ["agent 1.0", "theme 1.0"]);
        let appliances = ["blog 1.0", "shop 1.0", "wiki 1.0"];
        assert_eq!(names(ItemKind::Appliance), appliances);
        assert_eq!(self.platform.tickets(), []);
    }

    fn uploads(&self) -> usize {
        let is_whole =
            |call: &ImportCall| matches!(call, ImportCall::Upload(_, bytes) if !bytes.is_empty());
        self.platform.count(is_whole)
    }
}

fn uploads_of(kind: ItemKind) -> impl Fn(&ImportCall) -> bool + Send {
    move |call| matches!(call, ImportCall::Upload(ticket, _) if ticket.kind == kind)
}

fn opens_of(kind: ItemKind) -> impl Fn(&ImportCall) -> bool + Send {
    move |call| matches!(call, ImportCall::Open(of, _) if *of == kind)
}

/// What was imported, by name.
fn imported(outcome: &ImportOutcome) -> Vec<&str> {
    let objects = outcome.imported.iter();
    objects
        .filter_map(|object| object.name.as_deref())
        .collect()
}
