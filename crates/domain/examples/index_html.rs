//! Writes a sample of the page to look at: `cargo run -p domain --features testing --example index_html -- FILE [complete]`.
#![expect(clippy::print_stderr, reason = "an example speaks to its reader")]

use std::process::ExitCode;

use domain::report::{index_html, sample};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("which file?");
        return ExitCode::FAILURE;
    };
    let report = match arguments.next() {
        Some(which) if which == "complete" => sample::complete(),
        _ => sample::partial(),
    };
    match std::fs::write(&file, index_html(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
