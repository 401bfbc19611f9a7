//! Ten thousand exports that wait at once: memory, polls, and whether an item among many costs more than one among few.

use super::Options;
use super::exports::Exports;
use super::report::{Report, Turns};
use crate::platform::{Folder, Platform};

const BENCH: &str = "wide";
/// As many as `--jobs` allows.
const SLOTS: u32 = 64;
const EXPORT_MILLIS: u32 = 500;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let items: u32 = if options.short { 300 } else { 10_000 };
    let (few, _) = run(items / 10, options.runs.min(3))?;
    // It takes minutes, and its memory is hardly another in the next turn.
    let (many, counts) = run(items, 1)?;
    let millis = |wall: f64, items: u32| wall * 1000.0 / f64::from(items);
    report.add(BENCH, "memory", many.memory, "MiB");
    report.add(BENCH, "memory, a tenth of the items", few.memory, "MiB");
    report.add(BENCH, "wall", many.wall, "s");
    report.add(BENCH, "wall an item", millis(many.wall, items), "ms");
    let among_few = millis(few.wall, items / 10);
    report.add(BENCH, "wall an item, a tenth of the items", among_few, "ms");
    report.add(BENCH, "processor", many.cpu, "s");
    let polls = f64::from(counts.polls) / many.wall;
    report.add(BENCH, "polls a second", polls, "");
    let requests = f64::from(counts.requests) / f64::from(items);
    report.add(BENCH, "requests an item", requests, "");
    report.add(BENCH, "connections", f64::from(counts.connections), "");
    Ok(())
}

/// Medians of the runs, and what another one sent.
fn run(items: u32, runs: usize) -> Result<(super::timed::Figures, super::exports::Counts), String> {
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(items))?;
    let exports = Exports::of(&platform, &folder, SLOTS);
    let export = || exports.measured();
    let turns = Turns::take(runs, vec![(BENCH.to_owned(), Box::new(export))])?;
    let figures = super::timed::Figures {
        wall: turns.median(BENCH, |f| f.wall),
        cpu: turns.median(BENCH, |f| f.cpu),
        memory: turns.median(BENCH, |f| f.memory),
        written: turns.median(BENCH, |f| f.written),
    };
    Ok((figures, exports.counted()?))
}

fn scenario(items: u32) -> String {
    format!(
        "[data]\nappliances = {items}\nsoftware = 0\naccounts = 0\nothers = 0\narchive-bytes = 512\nforeign-tickets = 0\n\n[timing]\nslots = {SLOTS}\nexport-millis = {EXPORT_MILLIS}\n"
    )
}
