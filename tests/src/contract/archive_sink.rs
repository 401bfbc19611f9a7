//! The promises of [`ArchiveSink`] and [`EntryWriter`].

use bytes::Bytes;
use domain::model::{BagPath, Section, Sha256};
use domain::ports::{
    ArchiveSink, Check, CheckFailure, Durability, EntryWriter, NewEntry, Origin, Receipt,
    SinkError, Storage,
};
use domain::testing::gzip;

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
