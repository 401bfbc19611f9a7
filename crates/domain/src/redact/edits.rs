//! Replacements of byte ranges, gathered first and made in one pass.

use std::ops::Range;

/// What stands where something was taken out of the middle of a text.
pub(super) const BLANK: &str = "REDACTED";

/// Replacements in one document.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, &'static str)>);

impl Edits {
    pub(super) fn replace(&mut self, range: Range<usize>, by: &'static str) {
        self.0.push((range, by));
    }

    /// Replacements asked for.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The document with all replacements made. Of two that overlap, the one that begins first is made.
    pub(super) fn apply(mut self, source: &str) -> Vec<u8> {
        self.0
            .sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
        let mut bytes = Vec::with_capacity(source.len());
        let mut position = 0;
        for (range, by) in self.0 {
            let Some(before) = source.get(position..range.start) else {
                continue;
            };
            bytes.extend_from_slice(before.as_bytes());
            bytes.extend_from_slice(by.as_bytes());
            position = range.end;
        }
        bytes.extend_from_slice(source.get(position..).unwrap_or_default().as_bytes());
        bytes
    }
}
