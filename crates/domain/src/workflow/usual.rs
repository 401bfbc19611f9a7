//! How long the jobs of a run took that have ended: a hint of when the others end, and nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::ItemKind;

/// So many of the last count.
const COUNTED: usize = 64;
/// So many are needed for them to agree.
const AGREEING: usize = 2;
/// As near as this an end need not be known, or as this part of its age.
const NEAR: Duration = Duration::from_millis(2);
const NEAR_PART: u32 = 100;
/// They agree where no more than one in so many is known to have run for much longer.
const DIFFERING: usize = 4;

/// How long one job took, as far as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Took {
    /// It still ran at this age.
    pub(crate) more_than: Duration,
    /// It had ended at this age.
    pub(crate) at_most: Duration,
}

/// The jobs that ended last, of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durations(BTreeMap<ItemKind, VecDeque<Took>>);

impl Durations {
    /// A job has ended.
    pub(crate) fn add(&mut self, kind: ItemKind, took: Took) {
        let last = self.0.entry(kind).or_default();
        if last.len() == COUNTED {
            last.pop_front();
        }
        last.push_back(took);
    }

    /// Whether so many have ended that nobody else's are needed.
    pub(crate) fn are_enough(&self, kind: ItemKind) -> bool {
        self.0
            .get(&kind)
            .is_some_and(|ended| ended.len() >= AGREEING)
    }

    /// What they say of the next one.
    pub(crate) fn usual(&self, kind: ItemKind) -> Usual {
        let ended = self.0.get(&kind).map(VecDeque::iter).unwrap_or_default();
        let Some(shortest) = ended.clone().map(|took| took.at_most).min() else {
            return Usual::default();
        };
        let ran = ended.clone().map(|took| took.more_than);
        // An end that was only seen late says nothing of when it was.
        let longer = ran.clone().filter(|ran| *ran > shortest + shortest / 2);
        Usual {
            shortest: Some(shortest),
            more_than: ran.filter(|ran| *ran < shortest).max().unwrap_or_default(),
            is_agreed: ended.len() >= AGREEING && longer.count() * DIFFERING <= ended.len(),
        }
    }
}

/// How long exports took that ended in other runs of the same process: what a new run goes by until enough of its own have ended. As all
/// of this it moves the moment of a look, and is never a reason to refuse or to give up anything.
#[derive(Debug, Default)]
pub struct ExportTimes(Mutex<Durations>);

impl ExportTimes {
    fn durations(&self) -> MutexGuard<'_, Durations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job has ended.
    pub(crate) fn add(&self, kind: ItemKind, took: Took) {
        self.durations().add(kind, took);
    }

    /// What they say of the next one.
    pub(crate) fn usual(&self, kind: ItemKind) -> Usual {
        self.durations().usual(kind)
    }
}

/// How long jobs of a kind take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usual {
    shortest: Option<Duration>,
    more_than: Duration,
    is_agreed: bool,
}

impl Usual {
    /// The least that one took, as far as it was seen.
    pub(crate) fn shortest(self) -> Option<Duration> {
        self.shortest
    }

    /// Where all took about the same, the age at which the end of one of this age is to be expected. As long as nobody knows it well,
    /// that is half-way between an age at which others ran and one at which they had ended: were it the latter, an end that was seen
    /// late once would be looked for late ever after.
    pub(crate) fn end_after(self, age: Duration) -> Option<Duration> {
        let shortest = self.shortest.filter(|_| self.is_agreed)?;
        let unknown = shortest.saturating_sub(age.max(self.more_than));
        let is_known = unknown <= NEAR.max(shortest / NEAR_PART);
        Some(if is_known {
            shortest
        } else {
            shortest.saturating_sub(unknown / 2)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn after(took: &[(u64, u64)]) -> Usual {
        let mut durations = Durations::default();
        for (more_than, at_most) in took {
            let (more_than, at_most) = (millis(*more_than), millis(*at_most));
            durations.add(ItemKind::Appliance, Took { more_than, at_most });
        }
        durations.usual(ItemKind::Appliance)
    }

    #[test]
    fn one_alone_or_several_that_differ_say_nothing_of_the_end() {
        assert_eq!(after(&[]).shortest(), None);
        assert_eq!(after(&[(90, 100)]).end_after(millis(0)), None);
        let differing = after(&[(90, 100), (190, 200)]);
        assert_eq!(differing.end_after(millis(0)), None);
        assert_eq!(differing.shortest(), Some(millis(100)));
        assert_eq!(after(&[(1, 2)]).end_after(millis(0)), None);
    }

    #[test]
    fn an_end_is_looked_for_where_it_was_seen_and_before_where_it_was_seen_late() {
        let known = after(&[(198, 200), (190, 203)]);
        assert_eq!(known.end_after(millis(0)), Some(millis(200)));
        assert_eq!(known.end_after(millis(210)), Some(millis(200)));
        let late = after(&[(200, 300), (190, 310)]);
        assert_eq!(late.end_after(millis(0)), Some(millis(250)));
        assert_eq!(late.end_after(millis(250)), Some(millis(275)));
        assert_eq!(
            late.end_after(millis(275)),
            Some(millis(287) + Duration::from_micros(500))
        );
    }

    #[test]
    fn an_end_that_was_seen_late_does_not_contradict_the_others() {
        let late = after(&[(198, 200), (190, 203), (0, 420)]);
        assert_eq!(late.end_after(millis(0)), Some(millis(200)));
        let one_was_longer = after(&[(198, 200), (190, 203), (0, 420), (310, 420)]);
        assert_eq!(one_was_longer.end_after(millis(0)), Some(millis(200)));
        let several_were = after(&[(198, 200), (190, 203), (310, 420), (310, 420)]);
        assert_eq!(several_were.end_after(millis(0)), None);
    }

    #[test]
    fn only_the_last_count() {
        let mut took = vec![(0, 10); 10];
        took.extend([(190, 200); COUNTED]);
        assert_eq!(after(&took).shortest(), Some(millis(200)));
    }
}
