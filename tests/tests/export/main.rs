//! The workflow over the HTTP adapter against the sandbox, into memory: real sockets, no files.

use adapters_clock::SystemClock;
use domain::ports::Journal as _;
use domain::report::Completeness;
use domain::testing::{MemoryJournal, MemorySink, RecordingProgress};
use domain::workflow::{Ports, export};
use sandbox::Scenario;
use tests::kit;

#[tokio::test]
async fn everything_that_the_platform_has_is_in_the_bag() {
    let platform = kit::start(Scenario::default()).await;
    let (api, order) = (kit::api_for(&platform), kit::order_for(&platform));
    let (sink, journal, progress) = (
        MemorySink::durable(),
        MemoryJournal::default(),
        RecordingProgress::default(),
    );
    let ports = Ports {
        api: &api,
        clock: &SystemClock::start(),
        journal: &journal,
        progress: &progress,
    };
    let outcome = export(ports, Box::new(sink.clone()), &order)
        .await
        .expect("a bag");
    let report = outcome.report;
    assert_eq!(report.failures, []);
    assert_eq!(report.completeness, Completeness::Complete);
    assert!(journal.remembered().open.is_empty());
}
