//! Where a run stands, as far as its events tell: pure, so that a screen can be tested without one.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::model::ItemRef;
use domain::ports::{Event, ItemStage};

/// Rates are taken over this long: shorter flickers, longer lags.
const RATE_WINDOW: Duration = Duration::from_secs(8);
const SAMPLE_EVERY: Duration = Duration::from_millis(500);
/// An estimate from less than this is a guess.
const ESTIMATE_AFTER: Duration = Duration::from_secs(4);

/// What the run as a whole is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Connecting,
    Listing,
    Fetching,
    Recounting,
    Finishing,
}

/// An item on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Active {
    pub(super) name: String,
    pub(super) stage: ItemStage,
    pub(super) received: u64,
    pub(super) total: Option<u64>,
}

/// The state of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    pub(super) phase: Phase,
    pub(super) platform_version: Option<String>,
    pub(super) sections: u64,
    pub(super) documents: u64,
    /// Archives to bring home, once known.
    pub(super) planned: Option<u64>,
    /// Items that are in the bag or given up.
    pub(super) ended: u64,
    pub(super) failed: u64,
    pub(super) resumed: u64,
    pub(super) active: BTreeMap<ItemRef, Active>,
    /// The last thing that is being tried again, until something moves.
    pub(super) retry: Option<String>,
    stored_bytes: u64,
    recovered_bytes: u64,
    planned_at: Duration,
    samples: VecDeque<(Duration, u64)>,
}

impl Board {
    /// Takes an event in.
    pub(super) fn observe(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Connected { platform_version } => {
                self.platform_version.clone_from(platform_version);
                self.phase = Phase::Listing;
            }
            Event::SectionListed { .. } | Event::SectionUnavailable { .. } => self.sections += 1,
            Event::Planned { items, .. } => {
                self.planned = Some(*items);
                self.planned_at = now;
                self.phase = Phase::Fetching;
            }
            Event::DocumentStored { bytes, .. } => {
                self.documents += 1;
                self.stored_bytes += bytes;
                self.retry = None;
            }
            Event::Item { item, name, stage } => self.observe_item(*item, name, stage),
            Event::Bytes {
                item,
                received,
                total,
            } => {
                if let Some(active) = self.active.get_mut(item) {
                    active.received = *received;
                    active.total = *total;
                }
                self.retry = None;
            }
            Event::Retry {
                what,
                reason,
                wait_ms,
                ..
            } => {
                let secs = wait_ms.div_ceil(1000);
                self.retry = Some(format!("{what}: {reason}; again in {secs} s"));
            }
            Event::Recounting => self.phase = Phase::Recounting,
            Event::Finishing => self.phase = Phase::Finishing,
            Event::TicketDeleted { .. } | Event::Note { .. } => {}
        }
    }

    fn observe_item(&mut self, item: ItemRef, name: &str, stage: &ItemStage) {
        self.retry = None;
        match stage {
            ItemStage::Stored { bytes } => {
                self.stored_bytes += bytes;
                self.end(item);
            }
            ItemStage::Resumed { bytes } => {
                self.recovered_bytes += bytes;
                self.resumed += 1;
                self.end(item);
            }
            ItemStage::Failed { .. } => {
                self.failed += 1;
                self.end(item);
            }
            ItemStage::Starting
            | ItemStage::Waiting { .. }
            | ItemStage::Ready
            | ItemStage::Downloading => {
                let active = self.active.entry(item).or_insert_with(|| Active {
                    name: name.to_owned(),
                    stage: ItemStage::Starting,
                    received: 0,
                    total: None,
                });
                active.stage = stage.clone();
            }
        }
    }

    fn end(&mut self, item: ItemRef) {
        self.active.remove(&item);
        self.ended += 1;
    }

    /// Lets time pass: rates are measured here.
    pub(super) fn tick(&mut self, now: Duration) {
        let due = self
            .samples
            .back()
            .is_none_or(|(at, _)| now.saturating_sub(*at) >= SAMPLE_EVERY);
        if due {
            self.samples.push_back((now, self.moved_bytes()));
        }
        while self
            .samples
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) > RATE_WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes that came over the network in this run.
    fn moved_bytes(&self) -> u64 {
        self.stored_bytes
            + self
                .active
                .values()
                .map(|active| active.received)
                .sum::<u64>()
    }

    /// Bytes that are here, from this run and from the one it continues.
    pub(super) fn bytes(&self) -> u64 {
        self.recovered_bytes + self.moved_bytes()
    }

    /// Bytes a second, lately.
    pub(super) fn rate(&self) -> Option<u64> {
        let ((first, before), (last, after)) = (self.samples.front()?, self.samples.back()?);
        let millis = u64::try_from(last.saturating_sub(*first).as_millis()).ok()?;
        let moved = after.saturating_sub(*before);
        (millis >= 1000 && moved > 0).then(|| moved.saturating_mul(1000) / millis)
    }

    /// How much of the work is done, in thousandths.
    pub(super) fn thousandths(&self) -> u64 {
        let Some(planned) = self.planned.filter(|planned| *planned > 0) else {
            return u64::from(self.planned.is_some()) * 1000;
        };
        let partly: u64 = self.active.values().map(Active::thousandths).sum();
        ((self.ended * 1000 + partly) / planned).min(1000)
    }

    /// How long the rest may take.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let planned = self.planned?;
        let spent = now.saturating_sub(self.planned_at);
        // What an earlier run brought home took this one no time.
        let whole = planned.saturating_sub(self.resumed) * 1000;
        let done = (self.thousandths() * planned).saturating_sub(self.resumed * 1000);
        if spent < ESTIMATE_AFTER || done * 20 < whole || done >= whole {
            return None;
        }
        let millis = u64::try_from(spent.as_millis()).ok()?;
        Some(Duration::from_millis(
            millis.checked_mul(whole - done)?.checked_div(done)?,
        ))
    }
}

impl Active {
    /// The platform's export and the download count half each.
    fn thousandths(&self) -> u64 {
        match &self.stage {
            ItemStage::Waiting { percent, .. } => u64::from(percent.unwrap_or(0).min(100)) * 5,
            ItemStage::Ready => 500,
            ItemStage::Downloading => {
                let part = self.total.filter(|total| *total > 0).map_or(0, |total| {
                    self.received
                        .saturating_mul(500)
                        .checked_div(total)
                        .unwrap_or(0)
                });
                500 + part.min(499)
            }
            ItemStage::Starting
            | ItemStage::Stored { .. }
            | ItemStage::Resumed { .. }
            | ItemStage::Failed { .. } => 0,
        }
    }
}
