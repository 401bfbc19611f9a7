//! Places between others that belong to no entry: one that was reserved and given back, or that an interrupted run left.
//!
//! Invariant: gaps overlap neither each other nor any place that is in use. They are not joined, so that an entry that is fetched again
//! finds a place of exactly its length. What is left of them when the bag is finished is closed (`closing`).

use std::collections::BTreeMap;

use crate::container::Span;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gaps(BTreeMap<u64, u64>);

impl Gaps {
    /// What is free before `end` between these places.
    pub(super) fn between(used: impl IntoIterator<Item = Span>, end: u64) -> Self {
        let mut used: Vec<Span> = used.into_iter().collect();
        used.sort();
        let mut gaps = Self::default();
        let mut free_from = 0;
        for span in used {
            gaps.add(Span {
                offset: free_from,
                end: span.offset,
            });
            free_from = free_from.max(span.end);
        }
        gaps.add(Span {
            offset: free_from,
            end,
        });
        gaps
    }

    pub(super) fn add(&mut self, span: Span) {
        if span.length() > 0 {
            self.0.insert(span.offset, span.end);
        }
    }

    /// A place of this length: a gap that has it, or the beginning of the shortest that is longer.
    pub(super) fn take(&mut self, length: u64) -> Option<Span> {
        let spans = self.0.iter().map(|(&offset, &end)| Span { offset, end });
        let found = spans
            .filter(|span| span.length() >= length)
            .min_by_key(|span| span.length())?;
        self.0.remove(&found.offset);
        let taken = Span {
            offset: found.offset,
            end: found.offset + length,
        };
        self.add(Span {
            offset: taken.end,
            end: found.end,
        });
        Some(taken)
    }

    /// Where the container ends without the gaps before `end`, which are no gaps any more.
    pub(super) fn cut_from(&mut self, mut end: u64) -> u64 {
        while let Some((&offset, &gap_end)) = self.0.last_key_value() {
            if gap_end < end {
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
        assert_eq!(gaps.take(1), None);
    }
}
