//! Places between others that belong to no entry: one that was reserved and given back, or that an interrupted run left.
//!
//! Invariant: gaps overlap neither each other nor any place that is in use.
//!
//! An entry that is fetched again is to find the place that it gave back: that is taken whole or not at all, and not joined with its
//! neighbours. What an interrupted run left may have been the places of several: it is taken in parts. What is left of them when the bag is
//! finished is closed (`closing`).

use std::collections::BTreeMap;

use crate::container::Span;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<u64, Gap>);

#[derive(Clone, Copy, Debug)]
struct Gap {
    span: Span,
    taken: Taken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Whole,
    InParts,
}

impl Gaps {
    /// What an interrupted run left free before `end` between these places.
    pub(super) fn between(used: impl IntoIterator<Item = Span>, end: u64) -> Self {
        let mut used: Vec<Span> = used.into_iter().collect();
        used.sort();
        let mut gaps = Self::default();
        let mut free_from = 0;
        for span in used {
            gaps.add_in_parts(free_from, span.offset);
            free_from = free_from.max(span.end);
        }
        gaps.add_in_parts(free_from, end);
        gaps
    }

    /// Adds a place that an entry gave back.
    pub(super) fn add(&mut self, span: Span) {
        let taken = Taken::Whole;
        self.0.insert(span.offset, Gap { span, taken });
    }

    fn add_in_parts(&mut self, offset: u64, end: u64) {
        if offset < end {
            let span = Span { offset, end };
            let taken = Taken::InParts;
            self.0.insert(offset, Gap { span, taken });
        }
    }

    /// A place of this length, where a gap has one.
    pub(super) fn take(&mut self, length: u64) -> Option<Span> {
        let fits = |gap: &&Gap| match gap.taken {
            Taken::Whole => gap.span.length() == length,
            Taken::InParts => gap.span.length() >= length,
        };
        let found = self.0.values().filter(fits);
        let Span { offset, end } = found.min_by_key(|gap| gap.span.length())?.span;
        self.0.remove(&offset);
        let taken = Span {
            offset,
            end: offset + length,
        };
        self.add_in_parts(taken.end, end);
        Some(taken)
    }

    /// Where the container ends without the gaps before `end`, which are no gaps any more.
    pub(super) fn cut_from(&mut self, mut end: u64) -> u64 {
        while let Some((&offset, gap)) = self.0.last_key_value() {
            if gap.span.end < end {
                break;
            }
            self.0.remove(&offset);
            end = end.min(offset);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(offset: u64, end: u64) -> Span {
        Span { offset, end }
    }

    #[test]
    fn a_gap_of_the_same_length_is_taken_before_any_other() {
        let mut gaps = Gaps::between([span(10, 20), span(25, 40), span(45, 46)], 60);
        assert_eq!(gaps.take(5), Some(span(20, 25)));
        assert_eq!(gaps.take(5), Some(span(40, 45)));
        // The shortest that is longer, from its beginning.
        assert_eq!(gaps.take(5), Some(span(0, 5)));
        assert_eq!(gaps.take(6), Some(span(46, 52)));
        assert_eq!(gaps.take(9), None);
        assert_eq!(gaps.take(8), Some(span(52, 60)));
    }

    /// It is to be found by the entry that gave it back, which may be about to be fetched again.
    #[test]
    fn what_was_given_back_is_not_taken_in_parts() {
        let mut gaps = Gaps::default();
        gaps.add(span(0, 7));
        assert_eq!(gaps.take(6), None);
        assert_eq!(gaps.take(7), Some(span(0, 7)));
    }

    #[test]
    fn neighbours_stay_apart_so_that_each_is_found_again() {
        let mut gaps = Gaps::default();
        gaps.add(span(0, 7));
        gaps.add(span(7, 10));
        assert_eq!(gaps.take(3), Some(span(7, 10)));
        assert_eq!(gaps.take(7), Some(span(0, 7)));
    }

    #[test]
    fn gaps_at_the_end_are_cut_off() {
        let mut gaps = Gaps::default();
        for gap in [span(0, 5), span(10, 15), span(15, 20)] {
            gaps.add(gap);
        }
        assert_eq!(gaps.cut_from(30), 30);
        assert_eq!(gaps.cut_from(20), 10);
        assert_eq!(gaps.take(5), Some(span(0, 5)));
        assert_eq!(gaps.take(5), None);
    }
}
