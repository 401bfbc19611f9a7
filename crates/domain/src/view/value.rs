//! A text of the platform as people read it: times and sizes in words, everything else as it is.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::fields::{is_bytes, is_time};
use crate::report::{grouped, human_bytes, in_words, visible};

/// Longer texts are cut, and the page says where the whole is.
const LONGEST_CHARACTERS: usize = 2_000;
/// Numbers from here on are milliseconds, as seconds they would be beyond the year 5000.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// Numbers below this are no times: 1973.
const TIMES_FROM: i64 = 100_000_000;

/// The platform's schema has it as an instant; in another time zone it would be another day.
const DAY_OF_BIRTH: &str = "dob";

/// A value on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// For people.
    pub(super) text: String,
    /// The same for programs, where the text is in other words.
    pub(super) machine: String,
    /// Whether it is an instant or a day.
    pub(super) is_time: bool,
    /// Whether it is longer than what is shown.
    pub(super) is_cut: bool,
}

/// The value of a field of this name, held by `parent`.
pub(super) fn words(name: &str, parent: &str, text: &str) -> Words {
    let trimmed = text.trim();
    let time = if name == DAY_OF_BIRTH {
        day_in_words(trimmed)
    } else {
        Some(trimmed)
            .filter(|_| is_time(name))
            .and_then(time_in_words)
    };
    if let Some((text, machine)) = time {
        let is_time = true;
        return Words {
            text,
            machine,
            is_time,
            is_cut: false,
        };
    }
    if let Some(shown) = other_in_words(name, parent, trimmed) {
        return Words {
            text: shown,
            machine: trimmed.to_owned(),
            ..Words::default()
        };
    }
    let (text, is_cut) = as_it_is(trimmed);
    Words {
        text,
        is_cut,
        ..Words::default()
    }
}

/// An instant that a text says, in any form that the platform uses.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            MILLISECONDS_FROM.. => Timestamp::from_millisecond(number).ok(),
            TIMES_FROM.. => Timestamp::from_second(number).ok(),
            _ => None,
        };
    }
    text.parse().ok()
}

fn time_in_words(text: &str) -> Option<(String, String)> {
    if let Some(time) = instant(text) {
        let machine = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        return Some((in_words(time), machine));
    }
    let is_extended = text.as_bytes().get(4) == Some(&b'-');
    if !is_extended {
        return None;
    }
    if text.len() == 10 || text.get(10..) == Some("Z") {
        return day_in_words(text);
    }
    let local: DateTime = text.parse().ok()?;
    let machine = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    Some((local.strftime("%-d %B %Y, %H:%M").to_string(), machine))
}

/// The day that a time begins with, as it is written.
fn day_in_words(text: &str) -> Option<(String, String)> {
    let day: Date = text.get(..10)?.parse().ok()?;
    let machine = day.strftime("%Y-%m-%d").to_string();
    Some((day.strftime("%-d %B %Y").to_string(), machine))
}

fn other_in_words(name: &str, parent: &str, text: &str) -> Option<String> {
    match text {
        "true" => return Some("yes".to_owned()),
        "false" => return Some("no".to_owned()),
        _ => {}
    }
    let bytes: u64 = text.parse().ok().filter(|_| is_bytes(name, parent))?;
    Some(match bytes {
        1 => "1 byte".to_owned(),
        ..1000 => format!("{bytes} bytes"),
        _ => format!("{} ({} bytes)", human_bytes(bytes), grouped(bytes)),
    })
}

/// The text itself: lines stay lines, every other control character is seen, and it has an end.
fn as_it_is(text: &str) -> (String, bool) {
    let end = text.char_indices().nth(LONGEST_CHARACTERS);
    let shown = end.map_or(text, |(at, _)| text.get(..at).unwrap_or_default());
    let lines: Vec<String> = shown.lines().map(visible).collect();
    (lines.join("\n"), end.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> String {
        words(name, "appliance", text).text
    }

    #[test]
    fn times_are_said_in_words_whatever_their_form() {
        for (text, expected) in [
            ("2026-10-02T08:00:00.000+02:00", "2 October 2026, 06:00 UTC"),
            ("2026-10-02T06:00:00Z", "2 October 2026, 06:00 UTC"),
            ("1790920800000", "2 October 2026, 06:00 UTC"),
            ("1790920800", "2 October 2026, 06:00 UTC"),
            ("2026-10-02T06:00:00", "2 October 2026, 06:00"),
            ("2026-10-02", "2 October 2026"),
            ("2026-10-02Z", "2 October 2026"),
            ("soon", "soon"),
            ("12", "12"),
            ("", ""),
        ] {
            assert_eq!(shown("created", text), expected, "{text}");
        }
        let time = words("created", "", "2026-10-02T08:00:00.000+02:00");
        assert_eq!(time.machine, "2026-10-02T06:00:00Z");
    }

    #[test]
    fn a_birthday_is_a_day_wherever_one_is() {
        assert_eq!(
            shown("dob", "1984-02-29T00:00:00+01:00"),
            "29 February 1984"
        );
        assert_eq!(shown("dob", "unknown"), "unknown");
    }

    #[test]
    fn what_only_looks_like_a_time_stays() {
        assert_eq!(shown("version", "2026-10-02"), "2026-10-02");
        assert_eq!(shown("name", "1790920800000"), "1790920800000");
    }

    #[test]
    fn sizes_and_truth_are_said_in_words() {
        assert_eq!(shown("size", "1234567"), "1.2 MB (1,234,567 bytes)");
        assert_eq!(shown("size", "1"), "1 byte");
        assert_eq!(shown("size", "-1"), "-1");
        assert_eq!(shown("imageCreated", "true"), "yes");
        assert_eq!(words("size", "partition", "20480").text, "20480");
        let truth = words("shared", "", "true");
        assert_eq!(
            (truth.text.as_str(), truth.machine.as_str()),
            ("yes", "true")
        );
    }

    #[test]
    fn a_text_keeps_its_lines_and_has_an_end() {
        assert_eq!(
            shown("message", " a\u{1b}[0m\n\u{0}b\r\nc "),
            "a\u{fffd}[0m\n\u{fffd}b\nc"
        );
        let long = words("message", "", &"\u{e9}".repeat(1_000_000));
        assert!(long.is_cut);
        assert_eq!(long.text.chars().count(), LONGEST_CHARACTERS);
    }
}
