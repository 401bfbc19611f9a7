//! Entries whose length is known: several in the container at a time, given up, refused, and what a kill leaves of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use bytes::Bytes;
use domain::model::BagFormat;
use domain::ports::{CheckFailure, EntryWriter, NewEntry, SinkError};

use super::closing::next_moves;
use crate::container::Span;
use crate::journal::{Lines, Record, read_checkpoint};
use crate::spool::copy_within;
use crate::test_kit::{FORMATS, Kit, Run, archive, document, download, names};

const LONG: usize = 700_000;

/// A download of which the platform says how long it is, and could send the rest.
fn known(name: &str, content: &[u8]) -> NewEntry {
    NewEntry {
        size: Some(content.len() as u64),
        validator: Some("\"v1\"".to_owned()),
        ..download(name)
    }
}

async fn write(writer: &mut Box<dyn EntryWriter>, content: &[u8]) {
    for chunk in content.chunks(50_000) {
        writer.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
}

/// Opens an entry and waits until it has its place.
async fn begun(kit: &Kit, run: &Run, entry: NewEntry, content: &[u8]) -> Box<dyn EntryWriter> {
    let before = length(kit);
    let mut writer = run.begin(entry).await;
    write(&mut writer, content).await;
    while length(kit) == before {
        std::thread::yield_now();
    }
    writer
}

fn length(kit: &Kit) -> u64 {
    fs::metadata(kit.work().join("bag")).unwrap().len()
}

fn has_spool_files(kit: &Kit) -> bool {
    names(&kit.work())
        .iter()
        .any(|name| name.starts_with("spool"))
}

/// Finishes the bag and reads it as who may seek in it, and as who may not.
async fn finished(kit: &Kit, run: Run) -> BTreeMap<String, Vec<u8>> {
    run.finish().await.unwrap();
    let mut bag = kit.read_back();
    if kit.format == BagFormat::Zip {
        let mut stream = fs::File::open(kit.target()).unwrap();
        let mut streamed = 0;
        while let Some(mut file) = zip::read::read_zipfile_from_stream(&mut stream).unwrap() {
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            let name = file
                .name()
                .unwrap()
                .strip_prefix("my-bag/")
                .unwrap()
                .to_owned();
            assert_eq!(bag[&name], content);
            streamed += 1;
        }
        assert_eq!(streamed, bag.len());
    }
    assert_eq!(kit.names().len(), 1);
    bag.remove("bagit.txt").unwrap();
    bag
}

fn expected(entries: &[(&str, u64)]) -> BTreeMap<String, Vec<u8>> {
    let with_content = |(name, seed): &(&str, u64)| ((*name).to_owned(), archive(*seed, LONG));
    entries.iter().map(with_content).collect()
}

#[tokio::test]
async fn several_are_written_in_the_container_at_once_and_nothing_is_spooled() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let paths = ["data/0", "data/1", "data/2"];
        let contents: Vec<Vec<u8>> = (0..3).map(|seed| archive(seed, LONG)).collect();
        let mut writers = Vec::new();
        for (path, content) in paths.iter().zip(&contents) {
            writers.push(run.begin(known(path, content)).await);
        }
        for at in (0..contents[0].len()).step_by(70_000) {
            for (writer, content) in writers.iter_mut().zip(&contents) {
                let end = content.len().min(at + 70_000);
                write(writer, &content[at.min(end)..end]).await;
            }
            let name = format!("data/document-{at}");
            run.put(document(&name, b"<d/>"), b"<d/>").await.unwrap();
            assert!(!has_spool_files(&kit));
        }
        for writer in writers.into_iter().rev() {
            assert!(writer.close().await.unwrap().durable);
        }
        let bag = finished(&kit, run).await;
        for (path, content) in paths.iter().zip(&contents) {
            assert!(bag[*path] == *content);
        }
        assert_eq!(bag.len(), 3 + contents[0].len().div_ceil(70_000));
    }
}

#[tokio::test]
async fn one_that_is_fetched_again_finds_its_place_again() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let (content, behind) = (archive(1, LONG), archive(2, LONG));
        let first = begun(&kit, &run, known("data/1", &content), &content[..400_000]).await;
        run.put(known("data/2", &behind), &behind).await.unwrap();
        let before = length(&kit);
        first.discard().await.unwrap();
        for _ in 0..3 {
            let mut again = run.begin(known("data/1", &content)).await;
            write(&mut again, &content[..500_000]).await;
            again.discard().await.unwrap();
        }
        run.put(known("data/1", &content), &content).await.unwrap();
        assert_eq!(length(&kit), before);
        let bag = finished(&kit, run).await;
        assert!(bag == expected(&[("data/1", 1), ("data/2", 2)]));
    }
}

#[tokio::test]
async fn one_that_is_given_up_leaves_no_gap() {
    for format in FORMATS {
        for given_up in 0..4 {
            let kit = Kit::new(format);
            let run = kit.open();
            run.put(document("data/first", b"<d/>"), b"<d/>")
                .await
                .unwrap();
            let contents: Vec<Vec<u8>> = (0..4).map(|seed| archive(seed, LONG)).collect();
            let mut writers = Vec::new();
            for (number, content) in contents.iter().enumerate() {
                let entry = known(&format!("data/{number}"), content);
                writers.push(begun(&kit, &run, entry, &content[..300_000]).await);
            }
            run.put(document("data/last", b"<d/>"), b"<d/>")
                .await
                .unwrap();
            let mut expected: BTreeMap<_, _> = [("data/first", "<d/>"), ("data/last", "<d/>")]
                .map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()))
                .into();
            for (number, mut writer) in writers.into_iter().enumerate() {
                if number == given_up {
                    writer.discard().await.unwrap();
                } else {
                    write(&mut writer, &contents[number][300_000..]).await;
                    writer.close().await.unwrap();
                    expected.insert(format!("data/{number}"), contents[number].clone());
                }
            }
            assert!(
                finished(&kit, run).await == expected,
                "{format:?} {given_up}"
            );
        }
    }
}

#[tokio::test]
async fn one_of_another_length_is_refused_and_its_neighbours_are_whole() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let (content, other) = (archive(1, LONG), archive(2, LONG));
        let said = |difference: i64| NewEntry {
            size: (content.len() as u64).checked_add_signed(difference),
            ..known("data/1", &content)
        };
        for difference in [-200_000, -1, 1, 200_000] {
            let mut wrong = run.begin(said(difference)).await;
            write(&mut wrong, &content[..300_000]).await;
            let name = format!("data/behind{difference}");
            run.put(known(&name, &other), &other).await.unwrap();
            let mut refused = Ok(());
            for chunk in content[300_000..].chunks(50_000) {
                refused = wrong.write(Bytes::copy_from_slice(chunk)).await;
                if refused.is_err() {
                    break;
                }
            }
            let refused = match refused {
                Ok(()) => wrong.close().await.map(drop),
                error => error,
            };
            assert!(
                matches!(
                    refused,
                    Err(SinkError::CheckFailed {
                        failure: CheckFailure::Size { .. },
                        ..
                    })
                ),
                "{difference}: {refused:?}"
            );
        }
        run.put(known("data/1", &content), &content).await.unwrap();
        let bag = finished(&kit, run).await;
        assert_eq!(bag.len(), 5);
        assert!(bag["data/1"] == content && bag["data/behind-1"] == other);
    }
}

#[tokio::test]
async fn while_one_of_unknown_length_is_written_the_others_wait_beside_it() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let contents: Vec<Vec<u8>> = (0..3).map(|seed| archive(seed, LONG)).collect();
        let before = known("data/0", &contents[0]);
        let mut before = begun(&kit, &run, before, &contents[0][..100_000]).await;
        let mut unknown = kit
            .hold(&run, download("data/1"), &contents[1][..100_000])
            .await;
        let behind = known("data/2", &contents[2]);
        run.put(behind, &contents[2]).await.unwrap();
        assert!(has_spool_files(&kit));
        write(&mut before, &contents[0][100_000..]).await;
        before.close().await.unwrap();
        write(&mut unknown, &contents[1][100_000..]).await;
        unknown.close().await.unwrap();
        let all = expected(&[("data/0", 0), ("data/1", 1), ("data/2", 2)]);
        assert!(finished(&kit, run).await == all);
    }
}

/// A length that is a lie costs nothing: no place is kept free for it, and no other entry gets a place behind it.
#[tokio::test]
async fn a_length_that_no_file_has_is_not_reserved() {
    let kit = Kit::new(BagFormat::Zip);
    let run = kit.open();
    for size in [u64::MAX, u64::MAX / 2, 1 << 50] {
        let entry = NewEntry {
            size: Some(size),
            ..known("data/lie", b"")
        };
        let writer = begun(&kit, &run, entry, &archive(1, 100_000)).await;
        writer.discard().await.unwrap();
    }
    run.put(document("data/d", b"<d/>"), b"<d/>").await.unwrap();
    run.finish().await.unwrap();
    assert!(fs::metadata(kit.target()).unwrap().len() < 10_000);
}

/// Two in flight, one that is whole behind them, and so much of both recorded that they are worth resuming.
async fn killed_in_flight(format: BagFormat) -> Kit {
    let kit = Kit::new(format);
    let run = kit.open();
    let contents: Vec<Vec<u8>> = (0..3).map(|seed| archive(seed, LONG)).collect();
    let mut open = Vec::new();
    for (number, content) in contents.iter().enumerate().take(2) {
        let entry = known(&format!("data/{number}"), content);
        open.push(begun(&kit, &run, entry, &content[..500_000]).await);
    }
    let behind = known("data/2", &contents[2]);
    run.put(behind, &contents[2]).await.unwrap();
    while recorded_partial(&kit) < 2 {
        std::thread::yield_now();
    }
    kit.killed()
}

fn recorded_partial(kit: &Kit) -> usize {
    let mut journal = fs::File::open(kit.work().join("journal")).unwrap();
    read_checkpoint(&mut journal).unwrap().partial.len()
}

#[tokio::test]
async fn after_a_kill_both_go_on_in_their_places() {
    for format in FORMATS {
        let kit = killed_in_flight(format).await;
        let run = kit.open();
        assert_eq!(run.resumed_receipts(), ["data/2"]);
        let partial = run.sink.partial_entries();
        assert_eq!(partial.len(), 2);
        let before = length(&kit);
        for found in partial.iter().rev() {
            let path = &found.entry.path;
            let seed = u64::from(path.as_str() != "data/0");
            let whole = archive(seed, LONG);
            let from = usize::try_from(found.bytes).unwrap();
            assert!((100_000..=500_000).contains(&from), "{from}");
            let mut writer = run.sink.resume_entry(path).await.unwrap().unwrap();
            write(&mut writer, &whole[from..]).await;
            let receipt = writer.close().await.unwrap();
            assert_eq!(receipt.sha256, domain::model::Sha256::of(&whole));
        }
        assert!(!has_spool_files(&kit));
        assert_eq!(length(&kit), before);
        let all = expected(&[("data/0", 0), ("data/1", 1), ("data/2", 2)]);
        assert!(finished(&kit, run).await == all);
    }
}

#[tokio::test]
async fn after_a_kill_what_is_fetched_anew_or_never_leaves_no_gap() {
    for format in FORMATS {
        let killed = killed_in_flight(format).await;
        for fetched in [&[][..], &[0], &[1], &[1, 0]] {
            let kit = killed.killed();
            let run = kit.open();
            let mut all = vec![("data/2", 2)];
            for &seed in fetched {
                let path = ["data/0", "data/1"][usize::try_from(seed).unwrap()];
                let content = archive(seed, LONG);
                run.put(known(path, &content), &content).await.unwrap();
                all.push((path, seed));
            }
            assert!(
                finished(&kit, run).await == expected(&all),
                "{format:?} {fetched:?}"
            );
        }
    }
}

/// As after a loss of power: the place of a partial entry is there, its bytes are not.
#[tokio::test]
async fn a_place_that_the_disk_lost_is_not_resumed() {
    for format in FORMATS {
        let kit = killed_in_flight(format).await;
        let path = kit.work().join("bag");
        let mut bytes = fs::read(&path).unwrap();
        bytes[..400_000].fill(0);
        fs::write(&path, bytes).unwrap();
        let run = kit.open();
        let partial = run.sink.partial_entries();
        let paths: Vec<&str> = partial.iter().map(|p| p.entry.path.as_str()).collect();
        assert_eq!(paths, ["data/1"]);
        let content = archive(0, LONG);
        run.put(known("data/0", &content), &content).await.unwrap();
        let all = expected(&[("data/0", 0), ("data/2", 2)]);
        assert!(finished(&kit, run).await == all);
    }
}

/// A run that is dropped records all that has arrived.
#[tokio::test]
async fn a_run_that_was_dropped_goes_on_where_it_stopped() {
    for format in FORMATS {
        let kit = Kit::new(format);
        let run = kit.open();
        let content = archive(0, LONG);
        let writer = begun(&kit, &run, known("data/0", &content), &content[..600_000]).await;
        drop((writer, run));
        let run = kit.open();
        let partial = run.sink.partial_entries().remove(0);
        let from = usize::try_from(partial.bytes).unwrap();
        assert!(from >= 600_000 - 2 * 65_536, "{from}");
        let path = &partial.entry.path;
        let mut writer = run.sink.resume_entry(path).await.unwrap().unwrap();
        write(&mut writer, &content[from..]).await;
        writer.close().await.unwrap();
        assert!(finished(&kit, run).await == expected(&[("data/0", 0)]));
    }
}

/// A bag with a gap at its beginning, killed before it was finished.
async fn killed_with_a_gap(format: BagFormat) -> Kit {
    let kit = Kit::new(format);
    let run = kit.open();
    let (given_up, kept) = (archive(9, 300_000), archive(1, LONG));
    let entry = known("data/given-up", &given_up);
    let open = begun(&kit, &run, entry, &given_up[..290_000]).await;
    run.put(known("data/1", &kept), &kept).await.unwrap();
    let second = archive(2, LONG);
    run.put(known("data/2", &second), &second).await.unwrap();
    open.discard().await.unwrap();
    kit.killed()
}

/// Every state in which a kill can leave a bag whose gaps are being closed: copies that are there in part, whole, and recorded.
#[tokio::test]
async fn a_kill_while_members_are_moved_loses_nothing() {
    for format in FORMATS {
        for least in [1, 16 * 1024 * 1024] {
            let kit = killed_with_a_gap(format).await;
            let mut steps = 0;
            loop {
                let mut journal = own_file(&kit, "journal");
                let found = read_checkpoint(&mut journal).unwrap();
                assert_eq!(found.damage, None);
                let places: Vec<Span> = found.placed.iter().map(|(_, span)| *span).collect();
                let moves = next_moves(&places, least);
                if moves.is_empty() {
                    break;
                }
                let bag = own_file(&kit, "bag");
                for part in [3, 1] {
                    for step in &moves {
                        let length = step.from.length() / part;
                        copy_within(&bag, step.from.offset, step.to.offset, length).unwrap();
                        all_is_there(&kit).await;
                    }
                }
                let records = moves.iter().map(|step| Record::Moved {
                    from: step.from.offset,
                    to: step.to.offset,
                });
                let mut lines = Lines::after(journal, found.lines, found.lines_end).unwrap();
                lines.append(&records.collect::<Vec<_>>()).unwrap();
                all_is_there(&kit).await;
                steps += 1;
            }
            assert!(steps >= 2, "{steps}");
        }
    }
}

fn own_file(kit: &Kit, name: &str) -> fs::File {
    let mut options = fs::File::options();
    options.read(true).write(true);
    options.open(kit.work().join(name)).unwrap()
}

/// The next run finishes the bag as this kill left it.
async fn all_is_there(kit: &Kit) {
    let kit = kit.killed();
    let run = kit.open();
    assert_eq!(run.resumed_receipts(), ["data/1", "data/2"]);
    let all = expected(&[("data/1", 1), ("data/2", 2)]);
    assert!(finished(&kit, run).await == all);
}
