//! Durations that people write.

use std::time::Duration;

/// A duration that can be meant: something, and no more than a person's life.
pub(crate) fn some_time(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time > LONGEST {
        return Err("it has to be more than nothing and at most 100 years".to_owned());
    }
    Ok(time)
}
