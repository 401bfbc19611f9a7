//! How long the jobs of a run took that have ended: a hint of when the others end, and nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::model::ItemKind;

/// So many of the last count.
const COUNTED: usize = 16;
/// So many are needed for them to agree.
const AGREEING: usize = 2;

/// The jobs that ended last, of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durations(BTreeMap<ItemKind, VecDeque<Duration>>);

impl Durations {
    /// A job took this long, or less: it was seen then to have ended.
    pub(crate) fn add(&mut self, kind: ItemKind, took: Duration) {
        let last = self.0.entry(kind).or_default();
        if last.len() == COUNTED {
            last.pop_front();
        }
        last.push_back(took);
    }

    /// What they say of the next one.
    pub(crate) fn usual(&self, kind: ItemKind) -> Usual {
        let ended = self.0.get(&kind);
        let ended = ended.map(VecDeque::iter).unwrap_or_default();
        let (Some(shortest), Some(longest)) = (ended.clone().min(), ended.clone().max()) else {
            return Usual::default();
        };
        let is_enough = ended.len() >= AGREEING;
        Usual {
            // A little less: each was seen to have ended a little after its end, and what is expected must not grow by itself.
            shortest: Some(shortest.saturating_sub(*shortest / 128 + Duration::from_millis(1))),
            is_agreed: is_enough && *longest <= *shortest + *shortest / 4,
        }
    }
}

/// How long jobs of a kind take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usual {
    shortest: Option<Duration>,
    is_agreed: bool,
}

impl Usual {
    /// The least that one took.
    pub(crate) fn shortest(self) -> Option<Duration> {
        self.shortest
    }

    /// Whether all took about the same.
    pub(crate) fn is_agreed(self) -> bool {
        self.is_agreed
    }
}
