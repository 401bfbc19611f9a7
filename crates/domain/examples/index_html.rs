//! Writes a sample of the page, to look at: `cargo run -p domain --features testing --example index_html > sample.html`.
//! With the argument `complete`, of a run where nothing is missing.

use std::io;

use domain::report::{index_html, sample};

fn main() -> io::Result<()> {
    let report = match std::env::args().nth(1).as_deref() {
        Some("complete") => sample::complete(),
        _ => sample::partial(),
    };
    index_html::write(&report, &sample::views(&report), &mut io::stdout())
}
