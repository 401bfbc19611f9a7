//! What the languages share when they write numbers, sizes and waits.

use std::time::Duration;

use domain::report::grouped;

/// A size in the largest unit of which there is one: tenths, and which unit from 0 (kilobytes). Cut, never rounded up.
pub(super) enum Size {
    /// Fewer than a thousand bytes.
    Bytes(u64),
    /// `whole.tenth` of this power of a thousand, from 0.
    Units {
        whole: u64,
        tenth: u64,
        power: usize,
    },
}

impl Size {
    pub(super) fn of(bytes: u64) -> Self {
        const POWERS: usize = 6;
        if bytes < 1000 {
            return Self::Bytes(bytes);
        }
        let (mut tenths, mut power) = (bytes / 100, 0);
        while tenths >= 10_000 && power + 1 < POWERS {
            tenths /= 1000;
            power += 1;
        }
        Self::Units {
            whole: tenths / 10,
            tenth: tenths % 10,
            power,
        }
    }
}

/// A number whose thousands are set apart by this.
pub(super) fn apart(number: u64, separator: &str) -> String {
    grouped(number).replace(',', separator)
}

/// A time to wait, in the unit that fits.
pub(super) enum Wait {
    /// Up to 90 seconds.
    Seconds(u64),
    /// Up to 90 minutes.
    Minutes(u64),
    /// More.
    Hours(u64),
}

impl Wait {
    /// Never less than it is.
    pub(super) fn of(time: Duration) -> Self {
        let seconds = time
            .as_secs()
            .saturating_add(u64::from(time.subsec_nanos() > 0))
            .max(1);
        if seconds <= 90 {
            return Self::Seconds(seconds);
        }
        let minutes = seconds.div_ceil(60);
        if minutes <= 90 {
            return Self::Minutes(minutes);
        }
        Self::Hours(minutes.div_ceil(60))
    }
}
