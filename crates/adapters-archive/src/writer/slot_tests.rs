use std::io::Write as _;
use std::thread;

use super::*;
use crate::publish::WholeSum;
use crate::writer::forward::Forward;

fn slot() -> Arc<Slot> {
    let file = BagFile::after(tempfile::tempfile().unwrap(), 0).unwrap();
    slot_over(Output::File(file))
}

fn slot_over(output: Output) -> Arc<Slot> {
    let health = Arc::new(Health::sound());
    Slot::new(output, Gaps::default(), health, "bag".into())
}

fn extent(whole: u64) -> Extent {
    Extent {
        head: 2,
        packed: whole - 2,
        whole,
    }
}

fn reserve(slot: &Arc<Slot>, length: u64) -> Option<Region> {
    slot.reserve(extent(length)).unwrap()
}

fn span(offset: u64, end: u64) -> Span {
    Span { offset, end }
}

#[test]
fn entries_of_known_length_have_places_one_behind_the_other() {
    let slot = slot();
    let regions = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
    let spans = regions.each_ref().map(Region::span);
    assert_eq!(spans, [span(0, 10), span(10, 30), span(30, 60)]);
    // The container's end is behind them, and free.
    let (claim, output) = slot.claim_at_end().unwrap().unwrap();
    assert_eq!(output.end(), 60);
    // How long what is written there is going to be is not known: nothing can be placed behind it.
    assert!(reserve(&slot, 5).is_none());
    claim.give_back(Output::File(output));
    assert_eq!(reserve(&slot, 5).unwrap().span(), span(60, 65));
}

#[test]
fn what_was_given_back_is_the_place_of_the_next_of_that_length() {
    let slot = slot();
    let [first, second, _third] = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
    slot.take_back(second);
    slot.take_back(first);
    let (_claim, _file) = slot.claim_at_end().unwrap().unwrap();
    // Also while the end is taken.
    assert_eq!(reserve(&slot, 20).unwrap().span(), span(10, 30));
    assert_eq!(reserve(&slot, 10).unwrap().span(), span(0, 10));
}

#[test]
fn what_was_given_back_at_the_end_is_cut_off() {
    let slot = slot();
    let [_first, second, third] = [10, 20, 30].map(|length| reserve(&slot, length).unwrap());
    third.write_head(b"xx").unwrap();
    slot.take_back(second);
    slot.take_back(third);
    let (claim, output) = slot.claim_at_end().unwrap().unwrap();
    assert_eq!(output.end(), 10);
    assert!(slot.file().unwrap().metadata().unwrap().len() <= 10);
    claim.give_back(Output::File(output));
    assert_eq!(reserve(&slot, 5).unwrap().span(), span(10, 15));
}

#[test]
fn a_region_that_is_dropped_is_used_by_nobody() {
    let slot = slot();
    drop(reserve(&slot, 10));
    assert_eq!(reserve(&slot, 10).unwrap().span(), span(10, 20));
}

#[test]
fn an_entry_is_never_written_beyond_its_place() {
    let slot = slot();
    let region = reserve(&slot, 10).unwrap();
    assert!(region.write_head(b"abc").is_err());
    assert!(region.complete(b"ab", 7, b"").is_err());
    assert!(region.complete(b"ab", 8, b"c").is_err());
    assert!(region.complete(b"ab", 8, b"").is_ok());
    let mut writer = region.writer_after(0);
    assert!(writer.write_all(&vec![0; 100_000]).is_err());
}

#[test]
fn the_container_is_given_to_one_at_a_time() {
    let slot = slot();
    let (claim, file) = slot.claim_at_end().unwrap().unwrap();
    assert!(slot.claim_at_end().unwrap().is_none());
    assert!(slot.claim_soon().unwrap().is_none());
    claim.give_back(Output::File(file));
    let (claim, output) = slot.try_claim().unwrap().unwrap();
    assert!(slot.try_claim().unwrap().is_none());
    claim.give_back(output);
    assert!(slot.claim_at_end().unwrap().is_some());
}

#[test]
fn nobody_writes_after_a_claim_was_lost() {
    let slot = slot();
    drop(slot.try_claim().unwrap());
    assert!(matches!(slot.try_claim(), Err(SinkError::Stopped)));
    assert!(matches!(slot.claim_at_end(), Err(SinkError::Stopped)));
    assert!(matches!(slot.claim_when_idle(), Err(SinkError::Stopped)));
}

#[test]
fn who_finds_it_held_briefly_gets_it_when_it_is_given_back() {
    let slot = slot();
    let (claim, output) = slot.try_claim().unwrap().unwrap();
    thread::scope(|scope| {
        let next = scope.spawn(|| {
            slot.claim_soon()
                .unwrap()
                .map(|(claim, output)| claim.give_back(output))
        });
        claim.give_back(output);
        assert!(next.join().unwrap().is_some());
    });
}

#[test]
fn it_is_idle_when_the_last_open_entry_ended() {
    let slot = slot();
    let (first, second) = (slot.entry_opened(), slot.entry_opened());
    drop(first);
    thread::scope(|scope| {
        let idle = scope.spawn(|| {
            slot.claim_when_idle()
                .map(|(claim, output)| claim.give_back(output))
        });
        drop(second);
        idle.join().unwrap().unwrap();
    });
    assert_eq!(slot.lock().open_entries, 0);
}

#[test]
fn a_stream_is_never_written_in_place() {
    let forward = Forward::new(tempfile::tempfile().unwrap(), None, WholeSum::None).unwrap();
    let slot = slot_over(Output::Forward(forward));
    assert!(slot.claim_at_end().unwrap().is_none());
    assert!(reserve(&slot, 10).is_none());
    assert!(slot.try_claim().unwrap().is_some());
}
