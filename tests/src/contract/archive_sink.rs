//! The promises of [`ArchiveSink`] and [`EntryWriter`].

use std::any::Any;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::model::{BagPath, Section, Sha256};
use domain::ports::{
    ArchiveSink, Check, CheckFailure, Durability, EntryWriter, NewEntry, Origin, PartialEntry,
    Receipt, SinkError, Storage, TagFile,
};
use domain::testing::gzip;

/// A sink that was opened.
pub struct Opened {
    /// The sink.
    pub sink: Box<dyn ArchiveSink>,
    /// What is to be kept for as long as the sink is used, a lock for instance.
    pub rest: Box<dyn Any>,
}

/// A place for one unfinished bag.
pub struct Place<'a> {
    /// Opens the bag's sink: at first a new one, later that of an interrupted run.
    pub open: &'a dyn Fn() -> Opened,
    /// The bag's final name; `None` where it has none.
    pub target: Option<PathBuf>,
    /// Where free space is counted; `None` where nobody can say how much there is.
    pub space: Option<PathBuf>,
}

/// What an implementation can do beyond what all can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumes {
    /// A second run finds what the first left.
    Yes,
    /// A second run finds what was closed; of what was open it finds as much as was whole somewhere, which may be nothing.
    Closed,
    /// Everything is fetched again.
    No,
}

/// A document of known size.
///
/// # Panics
///
/// Where the path is none.
pub fn document(path: &str, size: usize) -> NewEntry {
    NewEntry {
        path: BagPath::parse(path).expect("a path"),
        media_type: "application/xml".to_owned(),
        storage: Storage::Compressed,
        size: Some(size as u64),
        check: Check::None,
        durability: Durability::AtFinish,
        validator: None,
        origin: Origin {
            section: Section::Appliances,
            source: "GET users/john/appliances".to_owned(),
            fetched: "2026-01-02T03:04:05Z".parse().expect("a time"),
            item: None,
            ticket: None,
            redactions: Vec::new(),
        },
    }
}

/// An archive of unknown size, to be safe when it is closed.
pub fn archive(path: &str) -> NewEntry {
    NewEntry {
        media_type: "application/gzip".to_owned(),
        storage: Storage::Stored,
        size: None,
        check: Check::Gzip,
        durability: Durability::AtClose,
        validator: None,
        ..document(path, 0)
    }
}

/// Writes a whole entry in pieces.
///
/// # Errors
///
/// Where the sink fails or the check does.
pub async fn put(
    sink: &dyn ArchiveSink,
    entry: NewEntry,
    content: &[u8],
    piece: usize,
) -> Result<Receipt, SinkError> {
    let mut writer = sink.open_entry(entry).await?;
    for chunk in content.chunks(piece) {
        writer.write(Bytes::copy_from_slice(chunk)).await?;
    }
    writer.close().await
}

/// A receipt says what was written.
pub async fn a_receipt_says_what_was_written(sink: &dyn ArchiveSink) {
    let content = gzip(&vec![7; 300_000]);
    let entry = archive("data/appliances/1-a/archive.tar.gz");
    let receipt = put(sink, entry.clone(), &content, 1000)
        .await
        .expect("a receipt");
    assert_eq!(
        (receipt.bytes, receipt.sha256),
        (content.len() as u64, Sha256::of(&content))
    );
    assert_eq!(
        (receipt.path, receipt.origin, receipt.media_type),
        (entry.path, entry.origin, entry.media_type)
    );
    let empty = put(sink, document("data/roles/roles.xml", 0), b"", 1)
        .await
        .expect("a receipt");
    assert_eq!((empty.bytes, empty.sha256), (0, Sha256::of(b"")));
}

/// Entries may be open at the same time, and their bytes never mix.
pub async fn open_entries_never_mix(sink: &dyn ArchiveSink) {
    let contents: Vec<Vec<u8>> = (0..4_u8)
        .map(|n| gzip(&vec![n; 200_000 + usize::from(n)]))
        .collect();
    let mut writers: Vec<Box<dyn EntryWriter>> = Vec::new();
    for n in 0..contents.len() {
        writers.push(
            sink.open_entry(archive(&format!("data/appliances/{n}-a/archive.tar.gz")))
                .await
                .expect("a writer"),
        );
    }
    for round in 0..100 {
        for (writer, content) in writers.iter_mut().zip(&contents) {
            let piece = content.len().div_ceil(100);
            let chunk = content.chunks(piece).nth(round).unwrap_or_default();
            writer
                .write(Bytes::copy_from_slice(chunk))
                .await
                .expect("written");
        }
    }
    for (writer, content) in writers.into_iter().zip(&contents) {
        assert_eq!(
            writer.close().await.expect("a receipt").sha256,
            Sha256::of(content)
        );
    }
}

/// What was discarded, or dropped, may be opened again.
pub async fn what_was_taken_back_may_be_opened_again(sink: &dyn ArchiveSink) {
    let path = "data/appliances/1-a/archive.tar.gz";
    let content = gzip(b"whole");
    let mut writer = sink.open_entry(archive(path)).await.expect("a writer");
    writer
        .write(Bytes::from_static(b"half of it"))
        .await
        .expect("written");
    writer.discard().await.expect("taken back");
    let mut writer = sink.open_entry(archive(path)).await.expect("a writer");
    writer
        .write(Bytes::from_static(b"half of it again"))
        .await
        .expect("written");
    drop(writer);
    put(sink, archive(path), &content, 3)
        .await
        .expect("a receipt");
}

/// What is not whole is not taken, and its path stays free.
pub async fn a_damaged_archive_is_refused(sink: &dyn ArchiveSink) {
    let path = "data/appliances/1-a/archive.tar.gz";
    let whole = gzip(b"something worth keeping");
    for cut in [0, 1, 9, 10, whole.len() - 8, whole.len() - 1] {
        let error = put(sink, archive(path), &whole[..cut], 5)
            .await
            .expect_err("a failed check");
        assert!(
            matches!(error, SinkError::CheckFailed { .. }),
            "cut at {cut}: {error}"
        );
    }
    let error = put(sink, archive(path), b"<html></html>", 5)
        .await
        .expect_err("a failed check");
    assert!(
        matches!(
            error,
            SinkError::CheckFailed {
                failure: CheckFailure::NotGzip,
                ..
            }
        ),
        "{error}"
    );
    put(sink, archive(path), &whole, 5)
        .await
        .expect("a receipt");
}

/// What the platform publishes of a file is held against it.
pub async fn a_published_sum_is_checked(sink: &dyn ArchiveSink) {
    let entry = |size, sha256| NewEntry {
        size: None,
        check: Check::Published { size, sha256 },
        ..document("data/profile/photo.png", 0)
    };
    let wrong = put(sink, entry(Some(4), None), b"photo", 2)
        .await
        .expect_err("a failed check");
    assert!(matches!(wrong, SinkError::CheckFailed { .. }), "{wrong}");
    let wrong = put(sink, entry(None, Some(Sha256::of(b"other"))), b"photo", 2)
        .await
        .expect_err("a failed check");
    assert!(
        matches!(
            wrong,
            SinkError::CheckFailed {
                failure: CheckFailure::Sha256,
                ..
            }
        ),
        "{wrong}"
    );
    put(
        sink,
        entry(Some(5), Some(Sha256::of(b"photo"))),
        b"photo",
        2,
    )
    .await
    .expect("a receipt");
}

/// One name, one entry.
pub async fn a_name_is_taken_only_once(sink: &dyn ArchiveSink) {
    put(sink, document("data/roles/roles.xml", 1), b"x", 1)
        .await
        .expect("a receipt");
    let error = put(sink, document("data/roles/roles.xml", 1), b"y", 1)
        .await
        .expect_err("an error");
    assert!(matches!(error, SinkError::Duplicate { .. }), "{error}");
}

/// A sink of a new bag has nothing to resume.
pub async fn a_new_bag_has_nothing_to_resume(sink: &dyn ArchiveSink) {
    assert_eq!(sink.resumed_receipts(), []);
    assert_eq!(sink.partial_entries(), []);
    let path = BagPath::parse("data/roles/roles.xml").expect("a path");
    assert!(sink.resume_entry(&path).await.expect("no error").is_none());
    put(sink, document("data/roles/roles.xml", 1), b"x", 1)
        .await
        .expect("the path is free");
}

/// Free space is counted where the bag grows.
pub fn free_space_is_counted_where_the_bag_grows(place: &Place<'_>) {
    let opened = (place.open)();
    let space = opened.sink.free_space();
    match &place.space {
        None => assert_eq!(space, None),
        Some(folder) => {
            let (bytes, path) = space.expect("a figure");
            assert!(bytes > 0);
            assert!(path.starts_with(folder), "{}", path.display());
        }
    }
}

/// A finished bag has its name, and had none before.
pub async fn a_bag_has_its_name_only_when_it_is_finished(place: &Place<'_>) {
    let opened = (place.open)();
    let exists = || place.target.as_deref().is_some_and(Path::exists);
    let content = gzip(b"whole");
    put(
        opened.sink.as_ref(),
        archive("data/appliances/1-a/archive.tar.gz"),
        &content,
        7,
    )
    .await
    .expect("a receipt");
    assert!(!exists());
    let tag = TagFile {
        path: BagPath::parse("bagit.txt").expect("a path"),
        bytes: Bytes::from_static(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"),
    };
    let bag = opened
        .sink
        .finish(Box::new(vec![tag]))
        .await
        .expect("a bag");
    assert_eq!(bag.path, place.target);
    assert!(bag.bytes >= content.len() as u64);
    if let Some(path) = &bag.path {
        let file = std::fs::metadata(path).expect("a file");
        assert_eq!(file.len(), bag.bytes);
    }
}

/// An entry that is neither closed nor discarded is in no bag: a run that is dropped then leaves nothing under the final name.
pub async fn an_interrupted_run_leaves_no_bag(place: &Place<'_>) {
    let opened = (place.open)();
    let path = "data/appliances/1-a/archive.tar.gz";
    let mut writer = opened
        .sink
        .open_entry(archive(path))
        .await
        .expect("a writer");
    writer
        .write(Bytes::from_static(b"half of it"))
        .await
        .expect("written");
    drop((writer, opened));
    assert!(!place.target.as_deref().is_some_and(Path::exists));
}

/// What was closed to be durable is there after a restart, what was open is not; or nothing is, where nothing can be resumed.
pub async fn closed_entries_survive_a_restart(place: &Place<'_>, resumes: Resumes) {
    let opened = (place.open)();
    let sink = opened.sink.as_ref();
    let content = gzip(&[3; 5000]);
    let held = sink
        .open_entry(archive("data/appliances/2-b/archive.tar.gz"))
        .await
        .expect("a writer");
    let entry = archive("data/appliances/1-a/archive.tar.gz");
    let receipt = put(sink, entry, &content, 100).await.expect("a receipt");
    assert_eq!(receipt.durable, resumes != Resumes::No);
    drop((held, opened));
    let again = (place.open)();
    let expected = match resumes {
        Resumes::Yes | Resumes::Closed => vec![receipt],
        Resumes::No => Vec::new(),
    };
    assert_eq!(again.sink.resumed_receipts(), expected);
    assert_eq!(again.sink.partial_entries(), []);
}

const PARTIAL: &str = "data/appliances/1-a/archive.tar.gz";
/// So much that an entry is worth resuming, and how much of it arrived.
const LONG: usize = 800_000;
const ARRIVED: usize = 600_000;

/// A gzip stream that is about as long as this.
fn long_archive() -> Vec<u8> {
    let mut state = 9_u32;
    let mut noise = vec![0; LONG];
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    gzip(&noise)
}

fn with_validator(path: &str) -> NewEntry {
    NewEntry {
        validator: Some("\"v1\"".to_owned()),
        ..archive(path)
    }
}

/// Interrupts a run in the middle of an entry that could be resumed, and opens the next.
async fn interrupted(place: &Place<'_>, content: &[u8]) -> (Opened, Vec<PartialEntry>) {
    let opened = (place.open)();
    let mut writer = opened
        .sink
        .open_entry(with_validator(PARTIAL))
        .await
        .expect("a writer");
    for chunk in content.get(..ARRIVED).expect("long").chunks(10_000) {
        writer
            .write(Bytes::copy_from_slice(chunk))
            .await
            .expect("written");
    }
    drop(writer);
    drop(opened);
    let again = (place.open)();
    let partial = again.sink.partial_entries();
    (again, partial)
}

/// An entry with a validator that was interrupted is resumed where it says, and comes to the receipt of the whole; where nothing can
/// be resumed, it is not there.
pub async fn an_interrupted_entry_is_resumed(place: &Place<'_>, resumes: Resumes) {
    let content = long_archive();
    let (again, partial) = interrupted(place, &content).await;
    match resumes {
        Resumes::Yes => {}
        Resumes::Closed if !partial.is_empty() => {}
        Resumes::Closed => return,
        Resumes::No => {
            assert_eq!(partial, []);
            return;
        }
    }
    let [found] = partial.as_slice() else {
        panic!("one partial entry: {partial:?}");
    };
    assert_eq!(found.entry, with_validator(PARTIAL));
    let from = usize::try_from(found.bytes).expect("few bytes");
    assert!((1..=ARRIVED).contains(&from), "{from}");
    let path = &found.entry.path;
    let writer = again.sink.resume_entry(path).await.expect("no error");
    let mut writer = writer.expect("a writer");
    assert_eq!(again.sink.partial_entries(), []);
    let rest = content.get(from..).expect("less than the whole");
    writer
        .write(Bytes::copy_from_slice(rest))
        .await
        .expect("written");
    let receipt = writer.close().await.expect("a receipt");
    assert_eq!(
        (receipt.bytes, receipt.sha256),
        (content.len() as u64, Sha256::of(&content))
    );
}

/// A resumed entry that does not come to a whole archive is refused, and may be fetched again.
pub async fn a_resumed_entry_is_checked_as_a_whole(place: &Place<'_>) {
    let content = long_archive();
    let (again, partial) = interrupted(place, &content).await;
    for found in &partial {
        let writer = again.sink.resume_entry(&found.entry.path).await;
        let mut writer = writer.expect("no error").expect("a writer");
        writer
            .write(Bytes::from_static(b"not the rest"))
            .await
            .expect("written");
        let error = writer.close().await.expect_err("a failed check");
        assert!(matches!(error, SinkError::CheckFailed { .. }), "{error}");
    }
    put(again.sink.as_ref(), archive(PARTIAL), &content, 50_000)
        .await
        .expect("a receipt");
}

/// A new entry takes the place of a partial one.
pub async fn a_new_entry_replaces_a_partial_one(place: &Place<'_>) {
    let content = long_archive();
    let (again, _) = interrupted(place, &content).await;
    let short = gzip(b"another");
    let receipt = put(again.sink.as_ref(), archive(PARTIAL), &short, 5)
        .await
        .expect("a receipt");
    assert_eq!(receipt.sha256, Sha256::of(&short));
    assert_eq!(again.sink.partial_entries(), []);
}
