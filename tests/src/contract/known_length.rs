//! The promises of [`ArchiveSink`] for entries whose length is known before their first byte.

use bytes::Bytes;
use domain::model::Sha256;
use domain::ports::{ArchiveSink, CheckFailure, EntryWriter, NewEntry, SinkError};
use domain::testing::gzip;

use super::archive_sink::{Opened, Place, Resumes, archive, document, put};

/// So long that one with a validator is worth resuming, and how much of it arrives before it is interrupted.
const LONG: usize = 400_000;
const ARRIVED: usize = 300_000;

/// A gzip stream that is about as long as [`LONG`].
fn long_archive(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut noise = vec![0; LONG];
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    gzip(&noise)
}

fn path(number: usize) -> String {
    format!("data/appliances/{number}-a/archive.tar.gz")
}

fn known(number: usize, length: usize) -> NewEntry {
    NewEntry {
        size: Some(length as u64),
        validator: Some("\"v1\"".to_owned()),
        ..archive(&path(number))
    }
}

/// One that is gone when its writer is dropped.
fn without_validator(entry: NewEntry) -> NewEntry {
    NewEntry {
        validator: None,
        ..entry
    }
}

async fn write(writer: &mut Box<dyn EntryWriter>, content: &[u8]) -> Result<(), SinkError> {
    for chunk in content.chunks(60_000) {
        writer.write(Bytes::copy_from_slice(chunk)).await?;
    }
    Ok(())
}

/// Several that are open at once do not mix, whatever becomes of the others: one is discarded in the middle, one is dropped, one has
/// another length than was said, and documents come between.
pub async fn open_entries_of_known_length_never_mix(sink: &dyn ArchiveSink) {
    let contents: Vec<Vec<u8>> = (0..5).map(long_archive).collect();
    let mut writers = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        let length = content.len() + usize::from(number == 2);
        let entry = match number {
            3 => without_validator(known(number, length)),
            _ => known(number, length),
        };
        let mut writer = sink.open_entry(entry).await.expect("a writer");
        let half = content.get(..LONG / 2).expect("long");
        write(&mut writer, half).await.expect("written");
        writers.push(writer);
        let name = format!("data/roles/{number}.xml");
        put(sink, document(&name, 4), b"<a/>", 2)
            .await
            .expect("a receipt");
    }
    for (number, mut writer) in writers.into_iter().enumerate() {
        match number {
            1 => writer.discard().await.expect("taken back"),
            3 => drop(writer),
            _ => {
                let rest = contents[number].get(LONG / 2..).expect("long");
                write(&mut writer, rest).await.expect("written");
                let closed = writer.close().await;
                if number == 2 {
                    is_another_size(&closed.expect_err("a failed check"));
                } else {
                    let receipt = closed.expect("a receipt");
                    assert_eq!(receipt.sha256, Sha256::of(&contents[number]));
                }
            }
        }
    }
    // What was taken back may be opened again, with the length that it has.
    for (number, content) in contents.iter().enumerate().take(4).skip(1) {
        let entry = known(number, content.len());
        put(sink, entry, content, 90_000).await.expect("a receipt");
    }
}

fn is_another_size(error: &SinkError) {
    assert!(
        matches!(
            error,
            SinkError::CheckFailed {
                failure: CheckFailure::Size { .. },
                ..
            }
        ),
        "{error}"
    );
}

/// Content of another size than was said is refused, in memory and on disk.
pub async fn content_of_another_size_is_refused(sink: &dyn ArchiveSink) {
    for content in [gzip(b"short"), long_archive(7)] {
        for length in [content.len() - 1, content.len() + 1] {
            let entry = known(1, length);
            let error = put(sink, entry, &content, 60_000)
                .await
                .expect_err("a failed check");
            is_another_size(&error);
        }
    }
    let content = long_archive(7);
    put(sink, known(1, content.len()), &content, 60_000)
        .await
        .expect("a receipt");
}

/// Two that were interrupted are both resumed, and what was whole behind them is there.
pub async fn interrupted_entries_of_known_length_are_resumed(place: &Place<'_>, resumes: Resumes) {
    let contents: Vec<Vec<u8>> = (0..3).map(long_archive).collect();
    let opened = (place.open)();
    let mut interrupted = Vec::new();
    for (number, content) in contents.iter().enumerate().take(2) {
        let entry = known(number, content.len());
        let mut writer = opened.sink.open_entry(entry).await.expect("a writer");
        let arrived = content.get(..ARRIVED).expect("long");
        write(&mut writer, arrived).await.expect("written");
        interrupted.push(writer);
    }
    let whole = known(2, contents[2].len());
    put(opened.sink.as_ref(), whole, &contents[2], 60_000)
        .await
        .expect("a receipt");
    drop((interrupted, opened));
    let again = (place.open)();
    if resumes == Resumes::No {
        assert_eq!(again.sink.partial_entries(), []);
        return;
    }
    assert_eq!(again.sink.resumed_receipts().len(), 1);
    let partial = again.sink.partial_entries().len();
    assert!(partial == 2 || resumes == Resumes::Closed, "{partial}");
    go_on(&again, &contents).await;
    again
        .sink
        .finish(Box::new(Vec::new()))
        .await
        .expect("a bag");
}

async fn go_on(again: &Opened, contents: &[Vec<u8>]) {
    for found in again.sink.partial_entries().into_iter().rev() {
        let number = contents
            .iter()
            .zip(0..)
            .position(|(_, number)| found.entry.path.as_str() == path(number))
            .expect("one of them");
        let writer = again.sink.resume_entry(&found.entry.path).await;
        let mut writer = writer.expect("no error").expect("a writer");
        let from = usize::try_from(found.bytes).expect("few bytes");
        assert!((1..=ARRIVED).contains(&from), "{from}");
        let rest = contents[number].get(from..).expect("less than the whole");
        write(&mut writer, rest).await.expect("written");
        let receipt = writer.close().await.expect("a receipt");
        assert_eq!(receipt.sha256, Sha256::of(&contents[number]));
    }
}
