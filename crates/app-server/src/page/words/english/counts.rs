//! Counting in English.

use std::time::Duration;

use domain::report::grouped;

use crate::page::words::units::Wait;

pub(super) fn plural(number: u64, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

pub(super) fn counted(number: u64, one: &'static str, many: &'static str) -> String {
    format!("{} {}", grouped(number), plural(number, one, many))
}

pub(super) fn wait(time: Duration) -> String {
    match Wait::of(time) {
        Wait::Seconds(number) => counted(number, "second", "seconds"),
        Wait::Minutes(number) => counted(number, "minute", "minutes"),
        Wait::Hours(number) => counted(number, "hour", "hours"),
    }
}
