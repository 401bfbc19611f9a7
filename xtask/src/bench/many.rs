//! Many small items: what the program adds to the time that the exports alone need, 8 at once.

use std::process::Stdio;

use super::Options;
use super::report::{Report, Turns};
use super::timed::run;
use crate::platform::{Folder, Platform};

const BENCH: &str = "many";
const SLOTS: u32 = 8;
const EXPORT_MILLIS: u32 = 200;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let items: u32 = if options.short { 80 } else { 1500 };
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(items))?;
    let bag = folder.path("bag.zip");
    let export = || {
        let mut command = platform.export(&bag, "none");
        command.args(["--jobs", &SLOTS.to_string()]);
        command.stderr(Stdio::null());
        let figures = run(command)?;
        std::fs::remove_file(&bag).map_err(|error| error.to_string())?;
        Ok(figures)
    };
    let turns = Turns::take(options.runs, vec![(BENCH.to_owned(), Box::new(export))])?;
    let bound = f64::from(items) * f64::from(EXPORT_MILLIS) / 1000.0 / f64::from(SLOTS);
    let wall = turns.median(BENCH, |f| f.wall);
    report.add(BENCH, "wall", wall, "s");
    report.add(BENCH, "what the exports alone need", bound, "s");
    report.add(
        BENCH,
        "wall ÷ what the exports alone need",
        wall / bound,
        "",
    );
    report.add(BENCH, "items a second", f64::from(items) / wall, "");
    report.add(BENCH, "processor", turns.median(BENCH, |f| f.cpu), "s");
    report.add(BENCH, "memory", turns.median(BENCH, |f| f.memory), "MiB");
    Ok(())
}

fn scenario(items: u32) -> String {
    format!(
        "[data]\nappliances = {items}\nsoftware = 0\naccounts = 0\nothers = 0\narchive-bytes = 4096\nforeign-tickets = 0\n\n[timing]\nslots = {SLOTS}\nexport-millis = {EXPORT_MILLIS}\n"
    )
}
