//! How far an export is, a section and an item.

use domain::jobs::{ActiveItem, Job, JobProgress, JobState, Phase};
use domain::model::Section;
use domain::ports::ItemStage;
use jiff::Timestamp;

use super::standing::said;
use crate::page::text::shown;
use crate::page::words::Words;
use crate::place::Place;

/// Items that are shown one by one; there are no more at a time than the run exports at once.
const SHOWN: usize = 50;

/// How far an export is.
pub(super) struct Progress {
    /// In a sentence with the archives that are done; it is read out when it changes.
    pub(super) text: String,
    pub(super) steps: Vec<Step>,
    /// In thousandths, where that is known.
    pub(super) done: Option<u64>,
    pub(super) percent: String,
    pub(super) counts: Vec<String>,
    pub(super) active: Vec<Active>,
    pub(super) unavailable: Vec<&'static str>,
    pub(super) note: String,
    /// Where its owner's browser hears of changes, and where it gets this again.
    pub(super) events: Option<String>,
    pub(super) part: String,
}

/// A step on the way.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Its class in the style sheet: `done`, `now` or `next`.
    pub(super) look: &'static str,
}

/// An item that is under way.
pub(super) struct Active {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) stage: String,
    pub(super) size: String,
    /// Bytes of bytes, where both are known.
    pub(super) bar: Option<(u64, u64)>,
}

impl Progress {
    pub(super) fn of(
        words: &Words,
        job: &Job,
        progress: &JobProgress,
        now: Timestamp,
        is_own: bool,
    ) -> Self {
        let path = Place::Export(job.id.clone()).path();
        let done = progress.planned_items().map(|_| progress.thousandths());
        Self {
            text: said(words, job, Some(progress), now),
            steps: steps(words, job, progress.phase),
            percent: done
                .map(|done| (words.percent)(done / 10))
                .unwrap_or_default(),
            done,
            counts: counts(words, progress),
            active: progress
                .active
                .values()
                .take(SHOWN)
                .map(|item| Active::of(words, item))
                .collect(),
            unavailable: progress
                .sections_unavailable
                .iter()
                .map(|section| (words.section)(*section).title)
                .collect(),
            note: progress.note.as_deref().map(shown).unwrap_or_default(),
            events: is_own.then(|| format!("/api/v1/exports/{}/events", job.id)),
            part: format!("{path}/progress"),
        }
    }
}

fn steps(words: &Words, job: &Job, phase: Phase) -> Vec<Step> {
    let is_queued = matches!(job.state, JobState::Queued);
    let now = match phase {
        _ if is_queued => 0,
        Phase::Waiting => 0,
        Phase::Listing => 1,
        Phase::Fetching => 2,
        Phase::Recounting | Phase::Finishing => 3,
    };
    let names = words.step_names.into_iter().enumerate();
    let step = |(index, name): (usize, &'static str)| Step {
        name,
        look: match index.cmp(&now) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "next",
        },
    };
    names.map(step).collect()
}

fn counts(words: &Words, progress: &JobProgress) -> Vec<String> {
    let mut counts = Vec::new();
    for (number, said) in [
        (progress.items.failed, words.archives_failed),
        (progress.sections(), words.lists_read),
        (progress.documents.stored, words.documents_done),
        (progress.bytes(), words.bytes_so_far),
    ] {
        if number > 0 {
            counts.push(said(number));
        }
    }
    counts
}

impl Active {
    fn of(words: &Words, item: &ActiveItem) -> Self {
        let is_arriving = item.stage == ItemStage::Downloading;
        let total = item.total.filter(|total| is_arriving && *total > 0);
        let size = match total {
            Some(total) => format!("{} / {}", (words.size)(item.received), (words.size)(total)),
            None if is_arriving => (words.size)(item.received),
            None => String::new(),
        };
        Self {
            kind: (words.section)(Section::of_items(item.item.kind)).title,
            name: if item.name.trim().is_empty() {
                format!("({})", item.item.id)
            } else {
                shown(&item.name)
            },
            stage: (words.stage)(&item.stage),
            size,
            bar: match (total, &item.stage) {
                (Some(total), _) => Some((item.received.min(total), total)),
                (None, ItemStage::Waiting { percent, .. }) => {
                    percent.map(|percent| (u64::from(percent.min(100)), 100))
                }
                _ => None,
            },
        }
    }
}
