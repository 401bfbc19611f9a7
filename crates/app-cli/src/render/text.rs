//! Text for a terminal: nothing that a server says may move the cursor, and every line fits.

use std::borrow::Cow;
use std::time::Duration;

use domain::report::grouped;

/// The text without control characters and without marks that turn the reading direction.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if text.contains(hidden) {
        let spaced = text.replace(hidden, " ");
        Cow::Owned(spaced.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(text)
    }
}

/// The printable text, cut to so many columns.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    console::truncate_str(&printable(text), columns, "…").into_owned()
}

/// The printable text in exactly so many columns.
pub(crate) fn column(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    console::pad_str(&text, columns, console::Alignment::Left, None).into_owned()
}

/// How many there are, for [`count`].
pub(crate) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// `3 items`, `1 item`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", grouped(number))
}

/// `0:07`, `12:30`, `1:02:03`.
pub(crate) fn stopwatch(time: Duration) -> String {
    let secs = time.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// `40 s`, `3 min`, `2 h 10 min`: no more exact than an estimate deserves.
pub(crate) fn roughly(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        0..10 => "< 10 s".to_owned(),
        10..90 => format!("{} s", secs / 10 * 10),
        90..5400 => format!("{} min", (secs + 30) / 60),
        _ => format!("{} h {} min", secs / 3600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{7}"), "a [2Jb c");
        assert_eq!(printable("a\u{202e}cod.exe"), "a cod.exe");
        assert_eq!(printable("Müller's 山"), "Müller's 山");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(fit("山田山田", 5), "山田…");
        assert_eq!(column("ab", 4), "ab  ");
    }

    #[test]
    fn counts_and_times_read_well() {
        assert_eq!(count(1, "item", "items"), "1 item");
        assert_eq!(count(12_345_678, "item", "items"), "12,345,678 items");
        assert_eq!(stopwatch(Duration::from_secs(3723)), "1:02:03");
        for (secs, expected) in [
            (3, "< 10 s"),
            (47, "40 s"),
            (170, "3 min"),
            (7800, "2 h 10 min"),
        ] {
            assert_eq!(roughly(Duration::from_secs(secs)), expected);
        }
    }
}
