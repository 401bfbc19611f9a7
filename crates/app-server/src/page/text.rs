//! Text of the platform, of people and of the workflow, as the page shows it.

use domain::report::visible;
use jiff::Timestamp;

use super::words::Words;

/// The longest text from elsewhere that is shown, in characters.
const LONGEST: usize = 300;

/// Text from outside: short enough to be read, without control characters, and without those that turn the direction of
/// what follows. The templates escape it.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = visible(text)
        .chars()
        .map(|character| match character {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .take(LONGEST + 1)
        .collect();
    if let Some((end, _)) = shown.char_indices().nth(LONGEST) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

/// An instant, for people and for machines.
pub(super) struct Moment {
    pub(super) people: String,
    pub(super) machine: String,
}

impl Moment {
    pub(super) fn of(words: &Words, time: Timestamp) -> Self {
        Self {
            people: (words.moment)(time),
            machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_whatever_is_in_it() {
        for (text, expected) in [
            ("web shop", "web shop"),
            ("\u{202e}gpj.exe\u{2066}", "\u{fffd}gpj.exe\u{fffd}"),
            ("a\u{1b}[31mb\u{0}", "a\u{fffd}[31mb\u{fffd}"),
            ("line\nline", "line line"),
            // Marks that are part of ordinary Hebrew or Arabic.
            ("\u{200f}שלום", "\u{200f}שלום"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_without_end_has_one_here() {
        let shown = shown(&"é".repeat(100_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }
}
