//! Text from outside made harmless for a terminal.

/// Text from outside as one line that a terminal shows as it is: escape sequences, control characters and characters that
/// turn the direction of what follows are taken out, line ends become spaces.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_escape_sequence(&mut rest),
            '\u{9b}' => skip_until(&mut rest, is_final_byte),
            '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                plain.push(' ');
            }
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// ECMA-48 §5.4: `ESC [` opens a control sequence; `ESC ]`, `P`, `X`, `^`, `_` a string that `BEL` or `ESC \` ends.
///
/// A string that is not ended on its line is no string: only its opening is dropped, so that nothing is hidden.
fn skip_escape_sequence(rest: &mut Characters<'_>) {
    match rest.next_if(|c| c.is_ascii() && !c.is_ascii_control()) {
        Some('[') => skip_until(rest, is_final_byte),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut ahead = rest.clone();
            let end = ahead
                .by_ref()
                .take_while(|c| *c != '\n')
                .any(|c| matches!(c, '\u{7}' | '\u{1b}' | '\u{9c}'));
            if end {
                ahead.next_if_eq(&'\\');
                *rest = ahead;
            }
        }
        _ => {}
    }
}

fn is_final_byte(character: char) -> bool {
    ('\u{40}'..='\u{7e}').contains(&character)
}

/// Parameters of a control sequence are ASCII between space and `?`; anything else was text.
fn skip_until(rest: &mut Characters<'_>, is_end: impl Fn(char) -> bool) {
    while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
    rest.next_if(|c| is_end(*c));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_cannot_speak_to_the_terminal() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;owned\u{7}title", "title"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}]no end of it", "no end of it"),
            ("\u{9b}2Jcleared", "cleared"),
            ("\u{1b}[2 q\u{1b}[12;5Hthere", "there"),
            ("a\u{8}\u{8}b\u{0}", "ab"),
            ("line\r\nline", "line line"),
            ("gpj.\u{202e}exe\u{2066}", "gpj.exe"),
            ("Überstürzt 日本 👩‍💻", "Überstürzt 日本 👩‍💻"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}ü", "ü"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_moves_a_cursor_is_left(text in any::<String>()) {
            let plain = plain(&text);
            let acts = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!plain.contains(acts));
        }

        #[test]
        fn plain_words_are_left_alone(text in "[a-zA-Zé0-9.,:/]{1,20}( [a-zA-Zé0-9.,:/]{1,20}){0,5}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
