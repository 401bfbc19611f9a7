//! Counting in Japanese: nothing has a plural.

use std::time::Duration;

use crate::page::words::units::Wait;

pub(super) fn wait(time: Duration) -> String {
    match Wait::of(time) {
        Wait::Seconds(number) => format!("{number} 秒"),
        Wait::Minutes(number) => format!("{number} 分"),
        Wait::Hours(number) => format!("{number} 時間"),
    }
}
