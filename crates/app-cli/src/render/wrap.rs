//! Lines for a terminal of so many columns.

use std::borrow::Cow;

use console::{Term, measure_text_width};

/// How far the further lines of a message are set in.
const INDENT: &str = "  ";
/// Nobody reads on a narrower terminal.
const NARROWEST: usize = 20;

/// The columns of the terminal that standard error is; `None` where it is none.
pub(crate) fn terminal_columns() -> Option<usize> {
    let term = Term::stderr();
    if !term.is_term() {
        return None;
    }
    term.size_checked()
        .map(|(_, columns)| usize::from(columns))
        .filter(|columns| *columns >= NARROWEST)
}

/// The text with lines of at most so many columns, broken between words. A command in backticks is one word, and a
/// command on a line of its own stays on it: both are there to be copied.
pub(crate) fn wrapped(text: &str, columns: Option<usize>) -> Cow<'_, str> {
    let Some(columns) = columns else {
        return Cow::Borrowed(text);
    };
    if text.lines().all(|line| measure_text_width(line) <= columns) {
        return Cow::Borrowed(text);
    }
    let mut set = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        if measure_text_width(line.trim_end_matches('\n')) <= columns || is_verbatim(line) {
            set.push_str(line);
        } else {
            set_line(&mut set, line, columns);
        }
    }
    Cow::Owned(set)
}

/// Commands to be copied.
fn is_verbatim(line: &str) -> bool {
    let begins = |command: &&str| line.trim_start().starts_with(*command);
    line.starts_with(INDENT)
        && ["uforge-export ", "unzip ", "tar ", "printf "]
            .iter()
            .any(begins)
}

fn set_line(set: &mut String, line: &str, columns: usize) {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (line, ""),
    };
    let own_indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
    let indent = format!("{own_indent}{INDENT}");
    set.push_str(&own_indent);
    let mut column = own_indent.len();
    let mut first = true;
    for word in words(line.trim_start_matches(' ')) {
        let width = measure_text_width(word);
        if first {
            first = false;
        } else if column + 1 + width > columns {
            set.push('\n');
            set.push_str(&indent);
            column = indent.len();
        } else {
            set.push(' ');
            column += 1;
        }
        set.push_str(word);
        column += width;
    }
    set.push_str(end);
}

/// The words of a line; what stands in backticks is one.
fn words(line: &str) -> Vec<&str> {
    let paired = line.matches('`').count().is_multiple_of(2);
    let mut quoted = false;
    line.split(|letter| {
        quoted ^= letter == '`' && paired;
        letter == ' ' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_at_the_terminals_width() {
        let text = "hint: give it with `--url`, for example `--url https://h/api`, or UFORGE_URL\n";
        let set = wrapped(text, Some(40));
        assert_eq!(
            set,
            "hint: give it with `--url`, for example\n  `--url https://h/api`, or UFORGE_URL\n"
        );
        assert_eq!(wrapped(text, None), text);
        assert_eq!(wrapped("short\n\nshort", Some(40)), "short\n\nshort");
    }

    #[test]
    fn what_is_to_be_copied_stays_on_its_line() {
        let command = format!("Look at it:\n  unzip -l {}\n", "x".repeat(100));
        assert_eq!(wrapped(&command, Some(80)), command);
        let path = format!("error: `/{}` exists already\n", "x y ".repeat(30));
        let set = wrapped(&path, Some(80));
        assert!(set.contains(&"x y ".repeat(30)), "{set}");
    }

    #[test]
    fn colours_take_no_column_and_no_letter_is_lost() {
        let coloured = "\u{1b}[1;31merror:\u{1b}[0m 山田 could not be reached by anybody at all\n";
        let set = wrapped(coloured, Some(24));
        for line in set.lines() {
            assert!(measure_text_width(line) <= 24, "{line}");
        }
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(letters(&set), letters(coloured));
    }
}
