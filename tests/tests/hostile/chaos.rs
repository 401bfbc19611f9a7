//! Faults drawn from a seed: whatever comes, the bag is the same.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::report::Completeness;
use futures_util::StreamExt as _;
use futures_util::stream;
use tests::kit::{Visit, small};

const SEEDS: u64 = 20;

#[tokio::test]
async fn twenty_seeds_of_chaos_bring_the_same_payload() {
    let runs = stream::iter(1..=SEEDS).map(chaotic);
    let () = runs.buffer_unordered(4).collect().await;
}

async fn chaotic(seed: u64) {
    let visit = Visit::to(small(&format!(
        r"
        timing = {{ stall-millis = 100 }}
        [chaos]
        seed = {seed}
        probability = 0.15
        in-a-row = 2
        "
    )))
    .await
    .with_silence(Duration::from_secs(2));
    visit.leaves_tickets("software has no list of tickets");
    let ended = visit.export().await;
    assert_eq!(ended.failures(), [""; 0], "seed {seed}");
    assert_eq!(
        ended.report().completeness,
        Completeness::Complete,
        "seed {seed}"
    );
    assert_eq!(ended.missing(&visit), BTreeSet::new(), "seed {seed}");
    // Only a bundle's lost start may leave a ticket; the report names it, or the run's own checks fail.
    let left = visit.platform.platform().open_tickets();
    assert!(
        left.iter().all(|ticket| ticket.item >= 301),
        "seed {seed}: {left:?}"
    );
}
