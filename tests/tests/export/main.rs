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
    let (api, mut order) = (kit::api_for(&platform), kit::order_for(&platform));
    order
        .selection
        .sections
        .remove(&domain::model::Section::WorkspaceComments);
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
    for section in &report.sections {
        println!("{:?}", section);
    }
    println!("{:?}", report.notes);
    assert_eq!(report.completeness, Completeness::Complete);
    assert!(journal.remembered().open.is_empty());
    for (path, (receipt, _)) in &sink.state().entries {
        println!("{path} {} {}", receipt.bytes, receipt.origin.source);
    }
}
