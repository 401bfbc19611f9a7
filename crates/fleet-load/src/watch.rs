//! How far the exports are, and how much the database works for them, as the database says.

use crate::fleet::Fleet;

/// How many exports there are, how many are over, and how many transactions were committed since the database came up.
const STANDING: &str = "SELECT count(*), count(*) FILTER (WHERE state NOT IN ('queued', 'running', 'waiting')), \
    (SELECT xact_commit FROM pg_stat_database WHERE datname = 'exports') FROM jobs";

/// What was seen.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) ordered: u64,
    pub(crate) over: u64,
    /// Transactions since the watch began. What a crash took with it from the statistics is missing.
    pub(crate) transactions: u64,
    last: Option<u64>,
}

impl Watch {
    /// Looks once; while the database is away nothing is seen.
    pub(crate) fn look(&mut self, fleet: &Fleet) {
        let Ok(answer) = fleet.database_says(STANDING) else {
            return;
        };
        let mut numbers = answer.split('|').filter_map(|text| text.parse().ok());
        let (Some(ordered), Some(over), Some(now)) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return;
        };
        self.ordered = ordered;
        self.over = over;
        let last = self.last.replace(now);
        // The statistics begin anew after a crash. The look itself is one of them.
        let more = last.map_or(0, |last| now.checked_sub(last).unwrap_or(now));
        self.transactions += more.saturating_sub(1);
    }

    /// The part that is over.
    #[expect(clippy::cast_precision_loss, reason = "people, not particles")]
    pub(crate) fn done(&self, users: u32) -> f64 {
        self.over as f64 / f64::from(users.max(1))
    }
}
