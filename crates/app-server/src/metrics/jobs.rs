//! How many exports there are, as the store says.

use std::sync::Arc;
use std::time::Duration;

use domain::jobs::{JobStateName, JobStore, JobStoreError};
use domain::ports::Clock;
use metrics::gauge;

use super::names::{JOBS, OVERDUE};

/// How many exports there were at a moment.
#[derive(Clone, Debug)]
pub(crate) struct JobCounts {
    states: Vec<(JobStateName, u64)>,
    overdue: u64,
}

/// The last counts: whoever asks often does not make the store count often.
pub(crate) type LastCounts = tokio::sync::Mutex<Option<(Duration, JobCounts)>>;

/// How long they hold.
const HOLDS_FOR: Duration = Duration::from_secs(2);

impl JobCounts {
    /// Counts, where nobody has done so just before.
    pub(crate) async fn of(
        store: &Arc<dyn JobStore>,
        clock: &Arc<dyn Clock>,
        last: &LastCounts,
    ) -> Result<Self, JobStoreError> {
        let mut last = last.lock().await;
        let now = clock.elapsed();
        if let Some((at, counts)) = &*last
            && now.saturating_sub(*at) < HOLDS_FOR
        {
            return Ok(counts.clone());
        }
        let counts = Self {
            states: store.count().await?,
            overdue: overdue(store).await?,
        };
        *last = Some((now, counts.clone()));
        Ok(counts)
    }

    /// Sets the gauges, also of states without an export.
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 exports")]
    pub(super) fn show(&self) {
        for state in JobStateName::ALL {
            let found = self.states.iter().find(|(name, _)| *name == state);
            let number = found.map_or(0, |(_, number)| *number);
            gauge!(JOBS, "state" => state.to_string()).set(number as f64);
        }
        gauge!(OVERDUE).set(self.overdue as f64);
    }
}

/// Exports under way whose time for an answer is over. Those under way are few: the service takes no more than a thousand.
async fn overdue(store: &Arc<dyn JobStore>) -> Result<u64, JobStoreError> {
    let now = store.now().await?;
    let mut overdue = 0;
    for (id, _) in store.unfinished().await? {
        match store.find(&id).await {
            Ok(stored) => overdue += u64::from(stored.job.due() < now),
            // It ended in this moment.
            Err(JobStoreError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(overdue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, job, user};
    use domain::jobs::{MockJobStore, StoredJob, Version};
    use domain::ports::MockClock;

    fn stored(requested: &str) -> StoredJob {
        let mut job = job(1, "john");
        job.requested = requested.parse().unwrap();
        let version = Version(1);
        StoredJob { job, version }
    }

    #[tokio::test]
    async fn what_is_due_for_a_month_is_overdue_and_nobody_counts_twice_in_a_moment() {
        let mut store = MockJobStore::new();
        let counted = vec![(JobStateName::Queued, 2)];
        store
            .expect_count()
            .times(1)
            .return_once(move || Ok(counted));
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        store.expect_now().return_once(move || Ok(now));
        let unfinished = vec![(id(1), user("john")), (id(2), user("john"))];
        store
            .expect_unfinished()
            .return_once(move || Ok(unfinished));
        store.expect_find().returning(|wanted| {
            let old = *wanted == id(1);
            let requested = if old {
                "2026-10-20T11:59:59Z"
            } else {
                "2026-10-21T00:00:00Z"
            };
            Ok(stored(requested))
        });
        let mut clock = MockClock::new();
        clock.expect_elapsed().return_const(Duration::ZERO);
        let store: Arc<dyn JobStore> = Arc::new(store);
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let last = LastCounts::default();
        for _ in 0..2 {
            let counts = JobCounts::of(&store, &clock, &last).await.unwrap();
            assert_eq!(counts.overdue, 1);
            assert_eq!(counts.states, [(JobStateName::Queued, 2)]);
        }
    }
}
