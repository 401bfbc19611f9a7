//! What the loop works with.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::model::{BagPath, ItemRef, Order, Ticket, TicketPolicy};
use crate::ports::{ApiError, ArchiveSink, PartialEntry};
use crate::workflow::context::{Ports, RunError};
use crate::workflow::item::{Action, Item, Seen};
use crate::workflow::tickets::Foreign;
use crate::workflow::transfer::PartialDownload;
use crate::workflow::usual::ExportTimes;

/// One item: its machine and where its archive goes.
pub(crate) struct ItemWork {
    pub(crate) machine: Item,
    pub(crate) name: String,
    pub(crate) path: BagPath,
    /// What the platform says of its size: a hint of how long its export takes, and nothing else.
    pub(super) size: Option<u64>,
    pub(super) partial: Option<PartialDownload>,
}

impl ItemWork {
    pub(crate) fn new(machine: Item, name: String, path: BagPath) -> Self {
        Self {
            machine,
            name,
            path,
            size: None,
            partial: None,
        }
    }

    /// The platform gives it this size.
    pub(crate) fn of_size(self, size: Option<u64>) -> Self {
        Self { size, ..self }
    }

    /// Whether neither this run nor one that was interrupted has anything of it, on the platform or here.
    pub(crate) fn is_untouched(&self) -> bool {
        self.machine.next(Duration::ZERO) == Action::Start && self.machine.lost_starts() == 0
    }

    /// Resumes the download that an interrupted run left.
    pub(crate) fn resuming(self, partial_entry: Option<&PartialEntry>) -> Self {
        Self {
            partial: partial_entry.and_then(PartialDownload::of_interrupted_run),
            ..self
        }
    }

    /// Takes the partial download of a ticket that is no longer the item's: nothing can complete it.
    pub(super) fn useless_partial(&mut self) -> Option<PartialDownload> {
        let current = self.machine.current_ticket();
        self.partial
            .take_if(|partial| current != Some(partial.ticket))
    }
}

/// What the loop works with.
#[derive(Clone, Copy)]
pub(crate) struct Drive<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) sink: &'a dyn ArchiveSink,
    pub(crate) order: &'a Order,
    /// Tickets that were open before the first start and are not ours.
    pub(crate) foreign_tickets: &'a Foreign,
    /// How long exports took in other runs.
    pub(crate) times: Option<&'a ExportTimes>,
}

/// What came of one thing that was awaited.
pub(super) enum Step {
    Seen(Vec<(usize, Seen)>),
    DownloadBroken(usize, ApiError, Option<PartialDownload>),
    /// What gives something of an item up, seen while the platform answers other requests.
    NoOutage(usize, Seen),
    /// These tickets must be asked for one by one, from now on where `for_good`.
    OneByOne {
        due: Vec<(usize, Ticket)>,
        for_good: bool,
    },
}

/// All that is awaited.
pub(super) type Steps<'a> = FuturesUnordered<BoxFuture<'a, Result<Step, RunError>>>;

/// The machine of an item that has not been asked for yet.
pub(crate) fn machine_for(order: &Order, item: ItemRef) -> Item {
    Item::new(
        item,
        order.seed,
        order.max_wait,
        order.tickets == TicketPolicy::Keep,
    )
}
