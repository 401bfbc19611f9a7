//! What it costs to start: the help, an account in which there is nothing, the size of the binary.

use std::fs;
use std::process::Stdio;

use super::Options;
use super::report::{Report, Turns};
use super::timed::run;
use crate::platform::{Folder, Platform};

const BENCH: &str = "start";
const HELP: &str = "--help";
const EMPTY: &str = "an empty account";

const SCENARIO: &str =
    "[data]\nappliances = 0\nsoftware = 0\naccounts = 0\nothers = 0\nforeign-tickets = 0\n";

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, SCENARIO)?;
    let bag = folder.path("bag.zip");
    let help = || {
        let mut command = platform.program();
        command.arg(HELP).stdout(Stdio::null());
        run(command)
    };
    let empty = || {
        let mut command = platform.export(&bag, "none");
        command.stderr(Stdio::null());
        let figures = run(command)?;
        fs::remove_file(&bag).map_err(|error| error.to_string())?;
        Ok(figures)
    };
    // Each takes some milliseconds.
    let runs = options.runs * 4;
    let turns = Turns::take(
        runs,
        vec![
            (HELP.to_owned(), Box::new(help)),
            (EMPTY.to_owned(), Box::new(empty)),
        ],
    )?;
    for name in [HELP, EMPTY] {
        let millis = turns.median(name, |f| f.wall) * 1000.0;
        report.add(BENCH, format!("{name}: wall"), millis, "ms");
    }
    let memory = turns.median(EMPTY, |f| f.memory);
    report.add(BENCH, format!("{EMPTY}: memory"), memory, "MiB");
    let binary = fs::metadata(platform.binary()).map_err(|error| error.to_string())?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let size = binary.len() as f64 / f64::from(1 << 20);
    report.add(BENCH, "size of the binary", size, "MiB");
    Ok(())
}
