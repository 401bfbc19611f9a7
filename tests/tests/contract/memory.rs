//! The doubles in memory keep the promises that the real adapters keep.

use domain::ports::NoProgress;
use domain::testing::{MemoryJournal, MemorySink, RecordingProgress};
use tests::contract::archive_sink::{self as suite, Opened, Place, Resumes};
use tests::contract::{copied, journal, known_length, progress, tag_files};

#[tokio::test]
async fn the_journal_in_memory_keeps_its_promises() {
    let memory = MemoryJournal::default();
    journal::a_new_journal_is_empty(&memory);
    journal::record_some(&memory).await;
    journal::the_checkpoint_holds_what_was_recorded(&memory);
    journal::what_was_read_is_there_when_it_is_opened_again(&memory);
}

#[tokio::test]
async fn the_sink_in_memory_keeps_its_promises() {
    suite::a_receipt_says_what_was_written(&MemorySink::durable()).await;
    copied::bytes_of_a_file_arrive_like_others(&MemorySink::durable()).await;
    suite::open_entries_never_mix(&MemorySink::durable()).await;
    suite::what_was_taken_back_may_be_opened_again(&MemorySink::durable()).await;
    suite::a_damaged_archive_is_refused(&MemorySink::durable()).await;
    suite::a_published_sum_is_checked(&MemorySink::durable()).await;
    suite::a_name_is_taken_only_once(&MemorySink::durable()).await;
    suite::a_new_bag_has_nothing_to_resume(&MemorySink::durable()).await;
    known_length::open_entries_of_known_length_never_mix(&MemorySink::durable()).await;
    known_length::content_of_another_size_is_refused(&MemorySink::durable()).await;
}

/// Runs a promise over a sink of its own, whose clones are later runs of the same bag.
macro_rules! in_memory {
    (|$place:ident| $promise:expr) => {{
        let sink = MemorySink::durable();
        let $place = Place {
            open: &|| Opened {
                sink: Box::new(sink.clone()),
                rest: Box::new(()),
            },
            target: None,
            space: None,
        };
        $promise
    }};
}

#[tokio::test]
async fn the_sink_in_memory_is_resumed() {
    in_memory!(|place| suite::free_space_is_counted_where_the_bag_grows(&place));
    in_memory!(|place| suite::a_bag_has_its_name_only_when_it_is_finished(&place).await);
    in_memory!(|place| suite::an_interrupted_run_leaves_no_bag(&place).await);
    in_memory!(|place| {
        tag_files::documents_and_pictures_are_read_back(&place, Resumes::Yes).await;
    });
    in_memory!(|place| suite::closed_entries_survive_a_restart(&place, Resumes::Yes).await);
    in_memory!(|place| suite::an_interrupted_entry_is_resumed(&place, Resumes::Yes).await);
    in_memory!(|place| suite::a_resumed_entry_is_checked_as_a_whole(&place).await);
    in_memory!(|place| suite::a_new_entry_replaces_a_partial_one(&place).await);
    in_memory!(|place| {
        known_length::interrupted_entries_of_known_length_are_resumed(&place, Resumes::Yes).await;
    });
}

#[test]
fn observers_in_memory_take_any_events() {
    progress::any_events_are_taken(&NoProgress);
    progress::any_events_are_taken(&RecordingProgress::default());
}
