//! Many small items: what the program adds to the time that the exports alone need, 8 at once; and what a loop takes that exports one
//! after the other.

use super::Options;
use super::exports::Exports;
use super::report::Report;
use super::tools;
use crate::platform::{Folder, Platform};

const BENCH: &str = "many";
const SLOTS: u32 = 8;
const EXPORT_MILLIS: u32 = 200;
/// So many are exported one after the other: they say how long one takes.
const IN_A_LOOP: u32 = 20;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let items: u32 = if options.short { 80 } else { 1500 };
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(items))?;
    let exports = Exports::of(&platform, &folder, SLOTS);
    // The last round takes as long as any other, also where it is not full.
    let rounds = items.div_ceil(SLOTS);
    let bound = f64::from(rounds) * f64::from(EXPORT_MILLIS) / 1000.0;
    let bound = (bound, "what the exports alone need");
    let wall = exports.in_turns(BENCH, bound, options, report)?;
    report.add(BENCH, "items a second", f64::from(items) / wall, "");
    let counts = exports.counted()?;
    let requests = f64::from(counts.requests);
    report.add(BENCH, "requests a second", requests / wall, "");
    report.add(BENCH, "requests an item", requests / f64::from(items), "");
    report.add(BENCH, "polls", f64::from(counts.polls), "");
    report.add(BENCH, "connections", f64::from(counts.connections), "");
    if !tools::missing().contains(&"curl") {
        let appliances: Vec<u32> = (201..201 + IN_A_LOOP).collect();
        let took = platform.one_after_the_other(&appliances)?.as_secs_f64();
        let all = took / f64::from(IN_A_LOOP) * f64::from(items);
        let name = format!("one after the other with curl, by {IN_A_LOOP} of them");
        report.add(BENCH, name, all, "s");
        report.add(BENCH, "wall ÷ one after the other", wall / all, "");
    }
    Ok(())
}

fn scenario(items: u32) -> String {
    format!(
        "[data]\nappliances = {items}\nsoftware = 0\naccounts = 0\nothers = 0\narchive-bytes = 4096\nforeign-tickets = 0\n\n[timing]\nslots = {SLOTS}\nexport-millis = {EXPORT_MILLIS}\n"
    )
}
