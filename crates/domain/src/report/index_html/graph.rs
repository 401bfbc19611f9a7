//! The two small pictures: where the bytes are, and when things were created. Every number in them stands beside them in words.

use super::super::views::{Period, Timeline};
use super::super::words::{grouped, human_bytes, plural, size_of};
use crate::report::Report;

/// Sections that have a stretch of their own; the others share one.
const OWN_STRETCH: usize = 5;
/// Width of a picture, in units of its own.
const WIDTH: u64 = 1000;
/// Height of the highest column.
const HEIGHT: u64 = 60;

/// A rectangle of a picture.
pub(super) struct Shape {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    /// Which shade it has.
    pub(super) shade: usize,
}

/// A stretch of the first picture, in words.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) size: String,
    pub(super) share: String,
    pub(super) shade: usize,
}

/// Where the bytes are.
pub(super) struct Bytes {
    pub(super) shapes: Vec<Shape>,
    pub(super) parts: Vec<Part>,
}

/// When things were created.
pub(super) struct Created {
    pub(super) shapes: Vec<Shape>,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) words: String,
}

/// Where the bytes of a bag are; `None` where one section has all, so that there is nothing to see.
pub(super) fn bytes(report: &Report) -> Option<Bytes> {
    let sizes = report.sections.iter().map(|section| {
        let section = section.section;
        (section.info().title, size_of(report, section))
    });
    let mut sizes: Vec<_> = sizes.filter(|(_, bytes)| *bytes > 0).collect();
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let all: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    if sizes.len() < 2 {
        return None;
    }
    let rest = sizes.split_off(OWN_STRETCH.min(sizes.len()));
    if !rest.is_empty() {
        let bytes = rest.iter().map(|(_, bytes)| bytes).sum();
        sizes.push(("Everything else", bytes));
    }
    let (mut shapes, mut x) = (Vec::new(), 0);
    for (shade, (_, bytes)) in sizes.iter().enumerate() {
        let width = part_of(*bytes, all, WIDTH);
        shapes.push(Shape {
            x,
            y: 0,
            width,
            height: HEIGHT,
            shade,
        });
        x += width;
    }
    let parts = sizes
        .iter()
        .enumerate()
        .map(|(shade, (title, bytes))| Part {
            title,
            size: human_bytes(*bytes).replace(' ', "\u{a0}"),
            share: share(*bytes, all),
            shade,
        });
    Some(Bytes {
        shapes,
        parts: parts.collect(),
    })
}

/// `amount` of `all`, as a part of `whole`.
fn part_of(amount: u64, all: u64, whole: u64) -> u64 {
    let part = u128::from(amount) * u128::from(whole) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(whole)
}

fn share(bytes: u64, all: u64) -> String {
    match part_of(bytes, all, 100) {
        0 => "less than 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// When things were created; `None` where all of it was in one stretch of time, or nothing says when.
pub(super) fn created(timeline: &Timeline) -> Option<Created> {
    const COLUMN: u64 = 10;
    const GAP: u64 = 2;
    let periods = timeline.periods();
    let (first, last) = (periods.first()?, periods.last()?);
    if periods.len() < 2 {
        return None;
    }
    let most = periods.iter().max_by_key(|period| period.objects)?;
    let columns = periods.iter().zip(0_u64..).map(|(period, index)| {
        let height = part_of(period.objects, most.objects, HEIGHT);
        // One object among thousands is still seen.
        let height = height.max(u64::from(period.objects > 0) * 2);
        Shape {
            x: index * COLUMN,
            y: HEIGHT - height,
            width: COLUMN - GAP,
            height,
            shade: 0,
        }
    });
    let objects: u64 = periods.iter().map(|period| period.objects).sum();
    Some(Created {
        shapes: columns.collect(),
        width: periods.len() as u64 * COLUMN - GAP,
        height: HEIGHT,
        first: name(first),
        last: name(last),
        words: format!(
            "{} {} with a date, created from {} to {}; most of them in {} ({})",
            grouped(objects),
            plural(objects, "object"),
            name(first),
            name(last),
            name(most),
            grouped(most.objects)
        ),
    })
}

fn name(period: &Period) -> String {
    let month = period
        .month
        .and_then(|month| jiff::civil::Date::new(period.year, month, 1).ok());
    month.map_or_else(
        || period.year.to_string(),
        |month| month.strftime("%B %Y").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_stretches_are_as_long_as_their_sizes() {
        let picture = bytes(&sample::complete()).unwrap();
        assert_eq!(picture.parts[0].title, "Appliances");
        assert_eq!(picture.parts[0].share, "95 %");
        assert_eq!(picture.parts.last().unwrap().title, "Everything else");
        let width: u64 = picture.shapes.iter().map(|shape| shape.width).sum();
        assert!((WIDTH - 6..=WIDTH).contains(&width), "{width}");
        assert!(bytes(&sample::empty()).is_none());
    }

    #[test]
    fn the_highest_column_is_the_busiest_month() {
        let mut timeline = Timeline::default();
        for time in [
            "2026-01-05T00:00:00Z",
            "2026-03-05T00:00:00Z",
            "2026-03-06T00:00:00Z",
        ] {
            timeline.note(time.parse().unwrap());
        }
        let picture = created(&timeline).unwrap();
        let heights: Vec<u64> = picture.shapes.iter().map(|shape| shape.height).collect();
        assert_eq!(heights, [30, 0, 60]);
        assert_eq!(
            picture.words,
            "3 objects with a date, created from January 2026 to March 2026; most of them in March 2026 (2)"
        );
        assert!(created(&Timeline::default()).is_none());
    }
}
