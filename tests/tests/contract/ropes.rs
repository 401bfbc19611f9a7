//! Bags in pieces over an object store in memory. `tests/object_store` runs the same over a real one.

use std::sync::Arc;

use adapters_store::S3Store;
use domain::jobs::RunRecords;
use object_store::memory::InMemory;
use tests::contract::ropes;

fn in_memory(records: Arc<dyn RunRecords>) -> S3Store {
    S3Store::on(Arc::new(InMemory::new()), &"below/a/prefix".into(), records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sink_of_a_bag_in_pieces_keeps_its_promises() {
    ropes::the_sink_keeps_its_promises(&in_memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_in_records_keeps_its_promises() {
    ropes::the_journal_keeps_its_promises(&in_memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_and_bags_in_pieces_keep_their_promises() {
    ropes::the_stores_keep_their_promises(&in_memory).await;
}
