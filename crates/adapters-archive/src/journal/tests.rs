use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::Path;

use domain::model::{ExportId, ItemKind, ItemRef, ObjectId, Resource, Ticket};
use domain::ports::{Fact, Journal as _};

use super::{Checkpoint, Payload, Record, RunJournal, begin, read_checkpoint};
use crate::test_kit::Kit;

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::try_from(id).unwrap(),
        },
        id: ExportId::try_from(id).unwrap(),
    }
}

fn started(id: i64) -> Fact {
    Fact::Started { ticket: ticket(id) }
}

fn read() -> Fact {
    Fact::Read {
        resource: Resource::User,
        facts: domain::model::Facts::default(),
    }
}

fn header() -> super::RunHeader {
    serde_json::from_value(serde_json::json!({
        "version": 3,
        "fingerprint": "00".repeat(32),
        "user": "john",
        "source": "https://uforge.example.com/api",
        "format": "tar.gz",
        "top": "bag",
        "file_name": "bag.tar.gz",
        "encrypted": false,
        "created": "2026-11-23T10:20:30Z",
    }))
    .unwrap()
}

fn journal_at(path: &Path) -> RunJournal {
    let lines = begin(
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap(),
        &header(),
    )
    .unwrap();
    RunJournal::new(
        path.to_path_buf(),
        Some(lines),
        Payload::Resumed,
        domain::ports::JournalState::default(),
    )
}

fn checkpoint_of(path: &Path) -> Checkpoint {
    read_checkpoint(&mut File::open(path).unwrap()).unwrap()
}

#[tokio::test]
async fn what_was_recorded_is_read_again_after_a_kill() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    journal.record(read()).await.unwrap();
    journal.record(started(1)).await.unwrap();
    journal.record(started(2)).await.unwrap();
    journal
        .record(Fact::Gone { ticket: ticket(1) })
        .await
        .unwrap();
    let again = checkpoint_of(&path);
    assert_eq!(again.header, Some(header()));
    assert_eq!(again.facts.facts_before.len(), 1);
    let without_what_was_read = domain::ports::JournalState {
        facts_before: std::sync::Arc::default(),
        ..again.facts.clone()
    };
    assert_eq!(without_what_was_read, journal.checkpoint());
    assert_eq!(
        again.facts.open.into_iter().collect::<Vec<_>>(),
        [ticket(2)]
    );
    assert_eq!(again.facts.documents.len(), 1);
}

/// Else a run that resumes would report of a document what the platform says by then, and not what is in the bag.
#[tokio::test]
async fn what_was_read_from_a_document_survives_wherever_an_entry_of_it_does() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    journal.record(read()).await.unwrap();
    journal.commit(vec![Record::Complete { bytes: 1 }]).unwrap();
    let whole = fs::read(&path).unwrap();
    let cut = kit.folder.path().join("cut");
    for length in 0..=whole.len() {
        fs::write(&cut, &whole[..length]).unwrap();
        let found = checkpoint_of(&cut);
        assert!(found.complete.is_none() || found.facts.documents.len() == 1);
    }
    assert_eq!(checkpoint_of(&path).complete, Some(1));
}

#[tokio::test]
async fn a_journal_cut_at_any_byte_gives_the_lines_before_it() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    let mut ends = vec![fs::metadata(&path).unwrap().len()];
    for id in 1..4 {
        journal.record(started(id)).await.unwrap();
        ends.push(fs::metadata(&path).unwrap().len());
    }
    let whole = fs::read(&path).unwrap();
    let cut = kit.folder.path().join("cut");
    for length in 0..=whole.len() {
        // A loss of power may also leave zeros where bytes should be.
        for filling in [0, 700] {
            let mut bytes = whole[..length].to_vec();
            bytes.resize(length + filling, 0);
            fs::write(&cut, bytes).unwrap();
            let found = checkpoint_of(&cut);
            let lines = ends.iter().filter(|&&end| end <= length as u64).count();
            assert_eq!(found.damage, None);
            assert_eq!(found.lines, lines as u64);
            assert_eq!(
                found.lines_end,
                if lines == 0 { 0 } else { ends[lines - 1] }
            );
            assert_eq!(found.facts.open.len(), lines.saturating_sub(1));
        }
    }
}

#[tokio::test]
async fn a_changed_byte_before_the_last_batch_is_damage() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    for id in 1..4 {
        journal.record(started(id)).await.unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let lines: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    let last_batch = lines[lines.len() - 2] + 1;
    // Without the line end before it, the last batch looks like a line that was cut short.
    for at in (0..whole.len()).filter(|&at| at != last_batch - 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        fs::write(&path, bytes).unwrap();
        let found = checkpoint_of(&path);
        let line = lines.iter().filter(|&&end| end < at).count() as u64;
        if at < last_batch {
            assert_eq!(
                found.damage.map(|damage| damage.line),
                Some(line + 1),
                "{at}"
            );
        } else {
            assert_eq!(found.damage, None, "{at}");
        }
        assert_eq!(found.lines, line, "{at}");
    }
}

#[tokio::test]
async fn a_batch_of_which_only_the_end_reached_the_disk_is_cut_off_whole() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    journal.record(started(1)).await.unwrap();
    let before = fs::metadata(&path).unwrap().len();
    let batch = (2..5).map(|id| Record::Fact(started(id))).collect();
    journal.commit(batch).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(std::io::SeekFrom::Start(before)).unwrap();
    file.write_all(&[0; 40]).unwrap();
    let found = checkpoint_of(&path);
    assert_eq!(found.damage, None);
    assert_eq!(found.lines_end, before);
}

#[test]
fn a_record_of_another_program_is_damage_and_not_a_torn_line() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let rest = "0 0 {\"from_the_future\":1}";
    let line = format!("{:08x} {rest}\n", crc32fast::hash(rest.as_bytes()));
    fs::write(&path, line).unwrap();
    assert_eq!(
        checkpoint_of(&path).damage.map(|damage| damage.line),
        Some(1)
    );
}

/// Each of them would wait for the flushes of all before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_at_the_same_time_is_flushed_together_and_none_is_lost() {
    let kit = Kit::new(domain::model::BagFormat::Zip);
    let path = kit.folder.path().join("journal");
    let journal = journal_at(&path);
    let runtime = tokio::runtime::Handle::current();
    let held = journal.lines.lock().unwrap();
    let recorders: Vec<_> = (1..=8)
        .map(|id| {
            let (journal, runtime) = (journal.clone(), runtime.clone());
            std::thread::spawn(move || runtime.block_on(journal.record_now(started(id))).unwrap())
        })
        .collect();
    while journal.lock().batch.records.len() < 8 {
        std::thread::yield_now();
    }
    assert_eq!(journal.checkpoint().open.len(), 0, "nothing is safe yet");
    drop(held);
    for recorder in recorders {
        recorder.join().unwrap();
    }
    assert_eq!(checkpoint_of(&path).facts.open.len(), 8);
    assert_eq!(journal.checkpoint().open.len(), 8);
    let text = fs::read_to_string(&path).unwrap();
    let batches: std::collections::BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    assert_eq!(batches.len(), 2, "the header, and all others at once");
}
