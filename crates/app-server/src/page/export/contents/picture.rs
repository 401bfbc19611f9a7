//! The picture of what is in the file: the size of each kind of data, side by side.

use std::collections::BTreeMap;

use domain::model::Section;

use crate::page::words::Words;

/// Parts of the picture, the last of which is all others.
pub(super) const PARTS: usize = 6;
/// Width of the picture, in its own units.
pub(super) const WIDE: u64 = 1000;

/// A part of the picture: where it begins, and how wide it is.
pub(crate) struct Part {
    pub(crate) title: &'static str,
    pub(crate) size: String,
    pub(crate) percent: String,
    pub(crate) from: u64,
    pub(crate) width: u64,
}

/// The largest kinds of data side by side, and all others as one.
pub(super) fn picture(words: &Words, sizes: &BTreeMap<Section, u64>) -> Vec<Part> {
    let mut sizes: Vec<(&'static str, u64)> = sizes
        .iter()
        .map(|(section, bytes)| ((words.section)(*section).title, *bytes))
        .filter(|(_, bytes)| *bytes > 0)
        .collect();
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    if sizes.len() > PARTS {
        let rest: u64 = sizes.drain(PARTS - 1..).map(|(_, bytes)| bytes).sum();
        sizes.push((words.others, rest));
    }
    let total: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let mut before = 0;
    let parts = sizes.into_iter().map(|(title, bytes)| {
        let at = |bytes: u64| scaled(bytes, total, WIDE);
        let (from, until) = (at(before), at(before + bytes));
        before += bytes;
        Part {
            title,
            size: (words.size)(bytes),
            percent: match scaled(bytes, total, 100) {
                0 => format!("<\u{a0}{}", (words.percent)(1)),
                percent => (words.percent)(percent),
            },
            from,
            // What is there can be seen, however small it is.
            width: until.saturating_sub(from).max(2),
        }
    });
    parts.collect()
}

fn scaled(part: u64, total: u64, wide: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(wide) / u128::from(total.max(1));
    u64::try_from(scaled).unwrap_or(wide)
}
