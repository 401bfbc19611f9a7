//! Exports of 1 to 12 seconds on 4 slots: how near the schedule comes to what is possible at all.

use std::fmt::Write as _;

use super::Options;
use super::exports::Exports;
use super::report::Report;
use crate::platform::{Folder, Platform};

const BENCH: &str = "slow";
const ITEMS: u32 = 24;
const SLOTS: u32 = 4;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let unit = if options.short { 100 } else { 1000 };
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(unit))?;
    let exports = Exports::of(&platform, &folder, SLOTS);
    let all: u32 = (0..ITEMS).map(|item| seconds(item) * unit).sum();
    let longest = 12 * unit;
    let bound = f64::from(longest.max(all / SLOTS)) / 1000.0;
    let bound = (bound, "lower bound: max(longest, sum ÷ slots)");
    exports.in_turns(BENCH, bound, options, report)?;
    let counts = exports.counted()?;
    report.add(BENCH, "requests", f64::from(counts.requests), "");
    report.add(BENCH, "polls", f64::from(counts.polls), "");
    Ok(())
}

/// Each length twice, in no order.
fn seconds(item: u32) -> u32 {
    item * 7 % 12 + 1
}

/// What takes longer has a larger size, as on a real platform.
fn scenario(unit: u32) -> String {
    let mut text = format!(
        "[data]\nappliances = {ITEMS}\nsoftware = 0\naccounts = 0\nothers = 0\narchive-bytes = 100000\nforeign-tickets = 0\n\n[timing]\nslots = {SLOTS}\n"
    );
    for item in 0..ITEMS {
        let millis = seconds(item) * unit;
        let size = seconds(item) * 100_000_000;
        let _ = write!(
            text,
            "\n[[items]]\nkind = \"appliance\"\nid = {}\nexport-millis = {millis}\nsize = {size}\n",
            201 + item
        );
    }
    text
}
