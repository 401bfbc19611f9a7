//! How a job of the platform moves on, and when to look at it again: values, time an argument.

use std::time::Duration;

use super::Limits;
use super::usual::Usual;
use crate::ports::ExportStatus;

/// A duration as a person says it.
pub(crate) fn in_words(time: Duration) -> String {
    let (number, unit) = match time.as_secs() {
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// The movement of one job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    since: Duration,
    best_percent: u32,
    /// How old it was when it came to that percentage.
    best_percent_at: Duration,
    best_bytes: i64,
    progressed: bool,
    progressed_at: Duration,
}

impl Pace {
    /// A job that begins now.
    pub(crate) fn begin(elapsed: Duration) -> Self {
        Self {
            since: elapsed,
            progressed_at: elapsed,
            ..Self::default()
        }
    }

    /// The last moment at which it moved on.
    pub(crate) fn progressed_at(&self) -> Duration {
        self.progressed_at
    }

    /// Whether it ever moved on by itself.
    pub(crate) fn has_progressed(&self) -> bool {
        self.progressed
    }

    /// Something else than a figure of the platform shows that it stands still no longer.
    pub(crate) fn revive(&mut self, elapsed: Duration) {
        self.progressed_at = elapsed;
    }

    /// Only a new maximum within its bounds is progress: a figure that goes to and fro would keep a dead job alive for ever.
    pub(crate) fn note(&mut self, status: &ExportStatus, elapsed: Duration) {
        let percent = status.percentage.unwrap_or(0).clamp(0, 100);
        let percent = u32::try_from(percent).unwrap_or(0);
        let bytes = status
            .bytes_loaded
            .unwrap_or(0)
            .min(status.bytes_total.unwrap_or(0));
        if percent > self.best_percent {
            self.best_percent_at = self.age(elapsed);
        }
        if percent > self.best_percent || bytes > self.best_bytes {
            self.best_percent = self.best_percent.max(percent);
            self.best_bytes = self.best_bytes.max(bytes);
            self.progressed = true;
            self.progressed_at = elapsed;
        }
    }

    /// How long it has been going.
    pub(crate) fn age(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.since)
    }

    /// Until when it may stand still. A job that never moved may only be waiting for another one, which moved last at
    /// `others_progressed_at`: it is given up later than that one.
    pub(crate) fn deadline(&self, max_wait: Duration, others_progressed_at: Duration) -> Duration {
        if self.progressed {
            self.progressed_at + max_wait
        } else {
            self.progressed_at.max(others_progressed_at) + max_wait + Limits::POLL_PAUSE
        }
    }

    /// When it is looked at again: often while it is young and where its end is expected, else the more rarely the older it is. The
    /// wait after the platform is done stays below a tenth of the time that it took, and mostly far below.
    pub(crate) fn look(&self, elapsed: Duration, usual: Usual) -> Look {
        let age = self.age(elapsed);
        let end = self.expected_age(age, usual);
        if age >= Limits::LONG_JOB {
            return Look::of_long_job(elapsed, age, end);
        }
        let calm = (age / 20).clamp(Limits::POLL_GAP, Limits::POLL_PAUSE);
        match end {
            Some(end) if end > age => {
                let left = end.saturating_sub(age);
                let longest = calm.max((left / 2).min(age / 10));
                // A percentage says little of the end of a job that waited for others before it began.
                let is_usual = usual.end_after(age) == Some(end);
                if is_usual || left <= longest + longest / 2 {
                    Look::promptly(elapsed, left.min(Limits::POLL_PAUSE))
                } else {
                    Look::calmly(elapsed, longest)
                }
            }
            Some(end) if age <= end + near(end) => Look::promptly(
                elapsed,
                (age / 40).max(age.saturating_sub(end)).max(SHORTEST_PAUSE),
            ),
            _ if age < YOUNG => {
                let first = usual.shortest().unwrap_or(Duration::ZERO).min(YOUNG);
                let pause = (age / 5).clamp(YOUNG_PAUSE, Limits::POLL_GAP);
                // One that is quicker than all before it must not be found late because of them.
                let until_first = first.saturating_sub(age).min(Limits::POLL_GAP);
                Look::promptly(elapsed, pause.max(until_first))
            }
            _ => Look::calmly(elapsed, calm),
        }
    }

    /// How old it is going to be at its end: the least that its percentage allows, or what others took where that agrees with it.
    fn expected_age(&self, age: Duration, usual: Usual) -> Option<Duration> {
        let others = usual.end_after(age);
        if !(1..100).contains(&self.best_percent) {
            return others;
        }
        // Percentages are rounded down.
        let of_percent = |percent| self.best_percent_at * 100 / percent;
        let (least, most) = (
            of_percent(self.best_percent + 1),
            of_percent(self.best_percent),
        );
        let agrees = |others: &Duration| (least..=most + most / 20).contains(others);
        Some(others.filter(agrees).unwrap_or(least))
    }
}

/// A job counts as young for so long.
const YOUNG: Duration = Duration::from_secs(2);
const YOUNG_PAUSE: Duration = Duration::from_millis(100);
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// For how long after its expected end a job counts as near it.
fn near(end: Duration) -> Duration {
    (end / 5).clamp(Duration::from_millis(100), Duration::from_secs(2))
}

/// When a job is to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The moment.
    pub(crate) due: Duration,
    /// From when on it may be looked at together with others.
    pub(crate) earliest: Duration,
    /// Whether it need not wait until the platform may be asked again in general: it is young, or its end is expected.
    pub(crate) is_prompt: bool,
}

impl Look {
    /// At this moment and not before it.
    pub(crate) fn at(due: Duration) -> Self {
        Self {
            due,
            earliest: due,
            is_prompt: true,
        }
    }

    /// The same, and at the latest at this moment.
    pub(crate) fn by(self, latest: Duration) -> Self {
        Self {
            due: self.due.min(latest),
            earliest: self.earliest.min(latest),
            ..self
        }
    }

    fn promptly(elapsed: Duration, pause: Duration) -> Self {
        Self {
            due: elapsed + pause,
            earliest: elapsed,
            is_prompt: true,
        }
    }

    fn calmly(elapsed: Duration, pause: Duration) -> Self {
        Self {
            is_prompt: false,
            ..Self::promptly(elapsed, pause)
        }
    }

    /// Of a job that runs for minutes: at its expected end where that is not far, else after the longest pause.
    fn of_long_job(elapsed: Duration, age: Duration, end: Option<Duration>) -> Self {
        let pause = Limits::POLL_PAUSE;
        let left = end.map(|end| end.saturating_sub(age));
        let pause = left
            .filter(|left| (pause..pause * 2).contains(left))
            .unwrap_or(pause);
        Self {
            due: elapsed + pause,
            earliest: elapsed + Limits::POLL_PAUSE,
            is_prompt: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::usual::{Durations, Took};
    use super::*;
    use crate::model::ItemKind;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The job waited for another one on the platform, and came to a few percent just now: it may end as soon as others did.
    #[test]
    fn a_percentage_that_others_contradict_does_not_delay_the_next_look() {
        let mut durations = Durations::default();
        for _ in 0..2 {
            let (more_than, at_most) = (millis(1_190), millis(1_200));
            durations.add(ItemKind::Appliance, Took { more_than, at_most });
        }
        let mut pace = Pace::begin(Duration::ZERO);
        let status = ExportStatus {
            percentage: Some(4),
            ..ExportStatus::default()
        };
        pace.note(&status, millis(1_220));
        let look = pace.look(millis(1_220), durations.usual(ItemKind::Appliance));
        assert!(look.due <= millis(1_220) + Limits::POLL_GAP, "{look:?}");
    }
}
