//! Exports of 1 to 12 seconds on 4 slots: how near the schedule comes to what is possible at all.

use std::fmt::Write as _;
use std::process::Stdio;

use super::Options;
use super::report::{Report, Turns};
use super::timed::run;
use crate::platform::{Folder, Platform};

const BENCH: &str = "slow";
const ITEMS: u32 = 24;
const SLOTS: u32 = 4;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let unit = if options.short { 100 } else { 1000 };
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(unit))?;
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
    let all: u32 = (0..ITEMS).map(|item| seconds(item) * unit).sum();
    let longest = 12 * unit;
    let bound = f64::from(longest.max(all / SLOTS)) / 1000.0;
    let wall = turns.median(BENCH, |f| f.wall);
    report.add(BENCH, "wall", wall, "s");
    report.add(BENCH, "lower bound: max(longest, sum ÷ slots)", bound, "s");
    report.add(BENCH, "wall ÷ lower bound", wall / bound, "");
    report.add(BENCH, "processor", turns.median(BENCH, |f| f.cpu), "s");
    Ok(())
}

/// Each length twice, in no order.
fn seconds(item: u32) -> u32 {
    item * 7 % 12 + 1
}

fn scenario(unit: u32) -> String {
    let mut text = format!(
        "[data]\nappliances = {ITEMS}\nsoftware = 0\naccounts = 0\nothers = 0\narchive-bytes = 100000\nforeign-tickets = 0\n\n[timing]\nslots = {SLOTS}\n"
    );
    for item in 0..ITEMS {
        let millis = seconds(item) * unit;
        let _ = write!(
            text,
            "\n[[items]]\nkind = \"appliance\"\nid = {}\nexport-millis = {millis}\n",
            201 + item
        );
    }
    text
}
