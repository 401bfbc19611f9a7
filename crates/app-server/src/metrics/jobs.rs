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
