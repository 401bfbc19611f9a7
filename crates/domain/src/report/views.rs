//! What the overview shows of the pages that were made beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Section;

/// The pages of one section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionView {
    /// The section.
    pub section: Section,
    /// How many pages it has, 1 or more.
    pub pages: usize,
    /// How many objects are on them: of a list that the schema does not describe, nothing else counts them.
    pub objects: u64,
}

/// Pages of `view/`, and what was learned while they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// The sections that have pages, in the order of the bag.
    pub sections: Vec<SectionView>,
    /// When the objects were created.
    pub created: Timeline,
}

/// How many objects were created in which month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline(BTreeMap<(i16, i8), u64>);

/// What was created in one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The year.
    pub year: i16,
    /// The month, where the periods are months.
    pub month: Option<i8>,
    /// Objects.
    pub objects: u64,
}

impl Timeline {
    /// Longer histories are shown by the year.
    const MOST_MONTHS: usize = 48;
    /// A clock that stood wrong must not stretch the picture over all of history.
    const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;

    /// One object was created then.
    pub fn note(&mut self, created: Timestamp) {
        let day = TimeZone::UTC.to_datetime(created).date();
        if Self::YEARS.contains(&day.year()) {
            *self.0.entry((day.year(), day.month())).or_default() += 1;
        }
    }

    /// From the first to the last, with those in between in which nothing was created; none where nothing is known.
    pub fn periods(&self) -> Vec<Period> {
        let ends = self.0.keys().next().zip(self.0.keys().next_back());
        let Some((&first, &last)) = ends else {
            return Vec::new();
        };
        let months = months_between(first, last);
        if months.len() <= Self::MOST_MONTHS {
            return months
                .into_iter()
                .map(|(year, month)| Period {
                    year,
                    month: Some(month),
                    objects: self.0.get(&(year, month)).copied().unwrap_or(0),
                })
                .collect();
        }
        let in_year = |year| self.0.range((year, 0)..=(year, 12)).map(|(_, count)| count);
        (first.0..=last.0)
            .map(|year| Period {
                year,
                month: None,
                objects: in_year(year).sum(),
            })
            .collect()
    }
}

fn months_between(first: (i16, i8), last: (i16, i8)) -> Vec<(i16, i8)> {
    let years = first.0..=last.0;
    let months = years.flat_map(|year| (1..=12).map(move |month| (year, month)));
    months
        .filter(|month| (first..=last).contains(month))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(times: &[&str]) -> Timeline {
        let mut timeline = Timeline::default();
        for time in times {
            timeline.note(time.parse().unwrap());
        }
        timeline
    }

    #[test]
    fn a_short_history_is_shown_by_the_month_and_a_long_one_by_the_year() {
        let short = timeline(&[
            "2025-11-30T23:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-01-31T12:00:00Z",
        ]);
        let found: Vec<_> = short
            .periods()
            .iter()
            .map(|of| (of.year, of.month, of.objects))
            .collect();
        assert_eq!(
            found,
            [(2025, Some(11), 1), (2025, Some(12), 0), (2026, Some(1), 2)]
        );
        let long = timeline(&["2019-03-01T00:00:00Z", "2026-01-01T00:00:00Z"]);
        assert_eq!(long.periods().len(), 8);
        assert_eq!(long.periods().iter().map(|of| of.objects).sum::<u64>(), 2);
    }

    #[test]
    fn a_time_that_cannot_be_is_left_out() {
        let odd = timeline(&["1970-01-01T00:00:00Z", "9000-01-01T00:00:00Z"]);
        assert!(odd.periods().is_empty());
    }
}
