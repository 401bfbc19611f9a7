//! The promises of [`RunRecords`], under leases of a [`JobStore`]. Each pair of stores is new.

use bytes::Bytes;
use domain::jobs::{Claim, JobStore, RunRecord, RunRecords, RunRecordsError, RunWriter};
use domain::testing::ManualClock;
use futures_util::future::join;

use super::job_store::{TERM, claim, delivered, id, order};

fn content(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

async fn all(records: &dyn RunRecords, number: u64) -> Vec<RunRecord> {
    let read = records.read(&id(number), 0, usize::MAX).await;
    read.expect("records")
}

fn texts(read: &[RunRecord]) -> Vec<String> {
    let text = |record: &RunRecord| String::from_utf8_lossy(&record.content).into_owned();
    read.iter().map(text).collect()
}

/// Claims the one job there is. Whoever writes in this moment may hold it back for as long.
async fn taken_over(jobs: &dyn JobStore) -> Claim {
    loop {
        if let Some(claim) = claim(jobs).await {
            return claim;
        }
        tokio::task::yield_now().await;
    }
}

/// Records come back in order, in pages, under the lease that follows too; a job that is over is tidied up by whoever sweeps.
pub async fn records_are_read_back_in_order(
    records: &dyn RunRecords,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order(jobs, 1, "john").await;
    let first = claim(jobs).await.expect("a job");
    let writer = RunWriter::Holder(first.lease.clone());
    let sweeper = RunWriter::Sweeper(id(1));
    for contents in [vec!["a", "bb"], vec![], vec!["", "ccc"]] {
        let contents = contents.into_iter().map(content).collect();
        records.append(&writer, contents).await.expect("it is held");
    }
    assert_eq!(texts(&all(records, 1).await), ["a", "bb", "", "ccc"]);
    let mut after = 0;
    let mut pages = Vec::new();
    loop {
        let page = records.read(&id(1), after, 3).await.expect("a page");
        let Some(last) = page.last() else { break };
        assert!(last.number > after);
        after = last.number;
        pages.push(texts(&page).join("+"));
    }
    assert_eq!(pages, ["a+bb+", "ccc"]);
    assert!(all(records, 2).await.is_empty());
    assert_eq!(records.jobs().await.expect("jobs"), [id(1)]);

    let refused = records.append(&sweeper, vec![content("x")]).await;
    assert!(matches!(refused, Err(RunRecordsError::Lost { .. })));
    let refused = records.delete(&sweeper).await;
    assert!(matches!(refused, Err(RunRecordsError::Lost { .. })));
    clock.advance(TERM);
    let second = claim(jobs).await.expect("the same job");
    let late = records.append(&writer, vec![content("late")]).await;
    assert!(matches!(late, Err(RunRecordsError::Lost { .. })));
    let late = records.delete(&writer).await;
    assert!(matches!(late, Err(RunRecordsError::Lost { .. })));
    assert_eq!(all(records, 1).await.len(), 4);
    let settled = jobs.settle(&second.lease, delivered(), Vec::new()).await;
    settled.expect("it is held");
    let tidied = records.append(&sweeper, vec![content("gone")]).await;
    tidied.expect("nobody runs it");
    assert_eq!(all(records, 1).await.len(), 5);
    for _ in 0..2 {
        records.delete(&sweeper).await.expect("nobody runs it");
    }
    assert!(all(records, 1).await.is_empty());
    assert!(records.jobs().await.expect("jobs").is_empty());
}

/// A late record is refused *while* its successor reads: what was not read can never appear.
pub async fn a_late_record_never_appears_behind_the_successor_s_back(
    records: &dyn RunRecords,
    jobs: &dyn JobStore,
    clock: &ManualClock,
    rounds: usize,
) {
    order(jobs, 1, "john").await;
    let mut holder = claim(jobs).await.expect("a job");
    let (mut refused, mut written) = (0, 0);
    for round in 0..rounds {
        let writer = RunWriter::Holder(holder.lease.clone());
        clock.advance(TERM);
        let appended = records.append(&writer, vec![content(&round.to_string())]);
        let taken_over = async {
            let successor = taken_over(jobs).await;
            let read = all(records, 1).await;
            (successor, read)
        };
        let (appended, (successor, read)) = if round % 2 == 0 {
            join(appended, taken_over).await
        } else {
            let (taken_over, appended) = join(taken_over, appended).await;
            (appended, taken_over)
        };
        match appended {
            Ok(()) => written += 1,
            Err(RunRecordsError::Lost { .. }) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(read, all(records, 1).await, "round {round}");
        assert_eq!(read.len(), written, "round {round}");
        holder = successor;
    }
    assert_eq!(written + refused, rounds);
}

/// A run that recorded something has made progress: its deaths begin anew.
pub async fn records_are_progress(
    records: &dyn RunRecords,
    jobs: &dyn JobStore,
    clock: &ManualClock,
) {
    order(jobs, 1, "john").await;
    claim(jobs).await.expect("a job");
    for deaths in 1..=3 {
        clock.advance(TERM);
        let again = claim(jobs).await.expect("its lease ran out");
        assert_eq!(again.job.deaths, deaths);
        if deaths == 3 {
            let writer = RunWriter::Holder(again.lease.clone());
            let appended = records.append(&writer, vec![content("a fact")]).await;
            appended.expect("it is held");
        }
    }
    for deaths in [0, 1] {
        clock.advance(TERM);
        let again = claim(jobs).await.expect("its lease ran out");
        assert_eq!(again.job.deaths, deaths);
    }
}
