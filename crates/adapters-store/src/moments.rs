//! Moments as columns: nanoseconds since 1970. What is beyond the year 2262 is the end of time.

use std::time::Duration;

use jiff::Timestamp;

pub(crate) fn to_column(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at.as_nanosecond() < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}

pub(crate) fn from_column(nanoseconds: i64) -> Timestamp {
    match nanoseconds {
        i64::MAX => Timestamp::MAX,
        nanoseconds => {
            Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MIN)
        }
    }
}

/// So long after a moment.
pub(crate) fn after(at: Timestamp, time: Duration) -> i64 {
    to_column(at.checked_add(time).unwrap_or(Timestamp::MAX))
}

/// So long before a moment.
pub(crate) fn before(at: Timestamp, time: Duration) -> i64 {
    to_column(at.checked_sub(time).unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back_as_they_were() {
        for at in [
            Timestamp::UNIX_EPOCH,
            Timestamp::MAX,
            Timestamp::constant(1_764_000_000, 123_456_789),
            Timestamp::constant(-1, -5),
        ] {
            assert_eq!(from_column(to_column(at)), at);
        }
        assert_eq!(after(Timestamp::MAX, Duration::MAX), i64::MAX);
    }
}
