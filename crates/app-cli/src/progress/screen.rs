//! The terminal that the display is drawn on.

use std::io;

use console::Term;
use indicatif::TermLike;

/// Standard error, whose errors are ignored: a terminal that is gone or full must not end a run, and the library panics
/// where drawing fails.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    /// Standard error, where it is a terminal that can move its cursor.
    pub(super) fn of_stderr() -> Option<Self> {
        let term = Term::buffered_stderr();
        let dumb = std::env::var_os("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb");
        (term.is_term() && !dumb).then_some(Self(term))
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the trait wants results, and there are none to report"
)]
fn whatever(_drawn: io::Result<()>) -> io::Result<()> {
    Ok(())
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        whatever(self.0.move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        whatever(self.0.move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        whatever(self.0.move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        whatever(self.0.move_cursor_left(n))
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        whatever(self.0.write_line(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        whatever(self.0.write_str(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        whatever(self.0.clear_line())
    }

    fn flush(&self) -> io::Result<()> {
        whatever(self.0.flush())
    }
}
