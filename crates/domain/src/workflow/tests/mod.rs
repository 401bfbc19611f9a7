//! Whole runs in simulated time, over a platform of values.

mod downloads;
mod exports;
mod fallback;
mod outages;
mod resume;
mod runs;
mod schedule;
mod since;
mod starts;

use super::{Ports, RunError, export};
use crate::model::{ItemRef, Order};
use crate::ports::{ApiError, Event};
use crate::report::{Completeness, Outcome};
use crate::testing::{
    Call, FakeItem, FakePlatform, MemoryJournal, MemorySink, RecordingProgress, SimClock, order,
};

pub(in crate::workflow) struct World {
    pub(in crate::workflow) clock: SimClock,
    pub(in crate::workflow) platform: FakePlatform,
    sink: MemorySink,
    journal: MemoryJournal,
    progress: RecordingProgress,
    pub(in crate::workflow) order: Order,
}

pub(in crate::workflow) fn world(items: &[ItemRef]) -> World {
    let clock = SimClock::default();
    let platform = FakePlatform::new(&clock, items.iter().map(|item| FakeItem::new(*item)));
    World {
        platform,
        clock,
        sink: MemorySink::durable(),
        journal: MemoryJournal::default(),
        progress: RecordingProgress::default(),
        order: order(),
    }
}

impl World {
    pub(in crate::workflow) fn ports(&self) -> Ports<'_> {
        Ports {
            api: &self.platform,
            clock: &self.clock,
            journal: &self.journal,
            progress: &self.progress,
        }
    }

    pub(in crate::workflow) fn export(&self) -> Result<Outcome, RunError> {
        self.clock.run(export(
            self.ports(),
            Box::new(self.sink.clone()),
            &self.order,
        ))
    }

    pub(in crate::workflow) fn complete(&self) -> Outcome {
        let outcome = self.export().expect("a bag");
        assert_eq!(outcome.report.failures, []);
        assert_eq!(outcome.report.completeness, Completeness::Complete);
        outcome
    }

    pub(in crate::workflow) fn partial(&self) -> Outcome {
        let outcome = self.export().expect("a bag");
        assert_eq!(outcome.report.completeness, Completeness::Partial);
        outcome
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.progress.events().into_iter();
        notes
            .filter_map(|event| match event {
                Event::Note { message } => Some(message),
                _ => None,
            })
            .collect()
    }

    fn archive_of(&self, item: ItemRef) -> Option<Vec<u8>> {
        let state = self.sink.state();
        let found = state
            .entries
            .values()
            .find(|(receipt, _)| receipt.origin.item == Some(item));
        found.map(|(_, bytes)| bytes.clone())
    }
}

fn starts_of(item: ItemRef) -> impl Fn(&Call) -> bool {
    move |call| *call == Call::Start(item)
}

fn downloads_of(item: ItemRef) -> impl Fn(&Call) -> bool {
    move |call| matches!(call, Call::Download(ticket, _) if ticket.item == item)
}

fn deletes(call: &Call) -> bool {
    matches!(call, Call::Delete(_))
}

fn fault(status: u16) -> ApiError {
    ApiError::ServerFault {
        request: "x".to_owned(),
        status,
        message: Some("no OS profile".to_owned()),
    }
}

fn reset() -> ApiError {
    ApiError::NoAnswer {
        request: "x".to_owned(),
        sent: true,
        detail: "reset".to_owned(),
    }
}

/// What a platform that went away comes to.
fn away() -> ApiError {
    ApiError::Unreachable {
        request: "x".into(),
        host: "h".into(),
        detail: "refused".into(),
    }
}
