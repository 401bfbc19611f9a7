//! One JSON object a line, for programs that wrap this one (`docs/progress.md`).

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use domain::model::ItemRef;
use domain::ports::{Event, ItemStage};
use jiff::Timestamp;
use serde::Serialize;

use super::view::View;

/// Figures of one item come at most this often.
const FIGURES_EVERY: Duration = Duration::from_millis(500);

/// An event and its time.
#[derive(Serialize)]
pub(crate) struct Line<E> {
    /// When.
    time: Timestamp,
    /// What.
    #[serde(flatten)]
    event: E,
}

/// The line for an event of now, with its line end.
pub(crate) fn line<E: Serialize>(event: E) -> Option<String> {
    let line = Line {
        time: Timestamp::now(),
        event,
    };
    serde_json::to_string(&line).ok().map(|text| text + "\n")
}

pub(super) struct Json<W> {
    output: W,
    last_figures: BTreeMap<ItemRef, Duration>,
}

impl<W: Write> Json<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            last_figures: BTreeMap::new(),
        }
    }
}

impl<W: Write + Send> View for Json<W> {
    fn on(&mut self, event: &Event, now: Duration) {
        if let Event::Bytes { item, .. }
        | Event::Item {
            item,
            stage: ItemStage::Waiting { .. } | ItemStage::Importing { .. },
            ..
        } = event
        {
            let last = self.last_figures.get(item);
            if last.is_some_and(|last| now.saturating_sub(*last) < FIGURES_EVERY) {
                return;
            }
            self.last_figures.insert(*item, now);
        }
        if let Some(line) = line(event) {
            // Nobody reads any more: the run goes on.
            let _ = self.output.write_all(line.as_bytes());
        }
    }
}
