//! The doubles in memory keep the promises that the real adapters keep.

use domain::testing::{MemoryJournal, MemorySink};
use tests::contract::{archive_sink, journal};

#[tokio::test]
async fn the_journal_in_memory_keeps_its_promises() {
    let memory = MemoryJournal::default();
    journal::record_some(&memory).await;
    journal::the_checkpoint_holds_what_was_recorded(&memory);
}

#[tokio::test]
async fn the_sink_in_memory_keeps_its_promises() {
    archive_sink::a_receipt_says_what_was_written(&MemorySink::durable()).await;
    archive_sink::open_entries_never_mix(&MemorySink::durable()).await;
    archive_sink::what_was_taken_back_may_be_opened_again(&MemorySink::durable()).await;
    archive_sink::a_damaged_archive_is_refused(&MemorySink::durable()).await;
    archive_sink::a_published_sum_is_checked(&MemorySink::durable()).await;
    archive_sink::a_name_is_taken_only_once(&MemorySink::durable()).await;
}
