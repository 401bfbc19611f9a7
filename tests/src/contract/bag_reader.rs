//! The promises of [`BagReader`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use domain::model::Sha256;
use domain::ports::{BagReadError, BagReader, ListedArchive};
use futures_util::StreamExt as _;

/// What is in a bag, as far as a suite asks for it.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    /// Archives that are what the manifest says.
    pub sound: BTreeMap<String, Vec<u8>>,
    /// Paths that are not.
    pub damaged: BTreeSet<String>,
}

/// Every promise, one after the other.
pub async fn every_promise(bag: &dyn BagReader, holds: &Holds) {
    a_bag_says_what_it_is(bag).await;
    let archives = only_what_the_manifest_lists_is_sound(bag, holds).await;
    archives_are_found_without_a_check(bag, holds, &archives).await;
    archives_come_whole_in_any_order(bag, holds, &archives).await;
    an_archive_may_be_left_in_the_middle(bag, holds, &archives).await;
    stored_bytes_are_those_of_the_archive(bag, holds, &archives).await;
}

/// `export.json` is read, and the bag is known by it.
pub async fn a_bag_says_what_it_is(bag: &dyn BagReader) {
    let first = bag.description().await.expect("a description");
    assert!(first.recorded.is_known());
    assert_eq!(bag.description().await.expect("a description"), first);
}

/// Every path that was asked for is judged.
pub async fn only_what_the_manifest_lists_is_sound(
    bag: &dyn BagReader,
    holds: &Holds,
) -> Vec<ListedArchive> {
    let asked: BTreeSet<String> = holds.sound.keys().chain(&holds.damaged).cloned().collect();
    let checks = bag.check(&asked).await.expect("a check");
    assert_eq!(checks.keys().cloned().collect::<BTreeSet<_>>(), asked);
    for path in &holds.damaged {
        let check = &checks[path];
        assert!(check.is_err(), "{path}: {check:?}");
    }
    let mut sound = Vec::new();
    for (path, bytes) in &holds.sound {
        let archive = checks[path].clone().expect("it is sound");
        assert_eq!((&archive.path, archive.bytes), (path, bytes.len() as u64));
        assert_eq!(archive.sha256, Sha256::of(bytes));
        sound.push(archive);
    }
    sound.sort_by_key(|archive| archive.place);
    sound
}

/// They are where a check finds them; what is damaged may only be noticed when it is read, and then by its sum.
pub async fn archives_are_found_without_a_check(
    bag: &dyn BagReader,
    holds: &Holds,
    archives: &[ListedArchive],
) {
    let asked: BTreeSet<String> = holds.sound.keys().chain(&holds.damaged).cloned().collect();
    let found = bag.locate(&asked).await.expect("an answer");
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), asked);
    for archive in archives {
        assert_eq!(found[&archive.path].as_ref(), Ok(archive));
    }
    for path in &holds.damaged {
        if let Ok(archive) = &found[path] {
            let bytes = bytes_of(bag, archive).await.expect("its bytes");
            assert_ne!(Sha256::of(&bytes), archive.sha256, "{path}");
        }
    }
}

async fn bytes_of(bag: &dyn BagReader, archive: &ListedArchive) -> Result<Vec<u8>, BagReadError> {
    let mut pieces = bag.open(archive).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

/// Forwards, backwards, and all at once.
pub async fn archives_come_whole_in_any_order(
    bag: &dyn BagReader,
    holds: &Holds,
    archives: &[ListedArchive],
) {
    for archive in archives.iter().chain(archives.iter().rev()) {
        let bytes = bytes_of(bag, archive).await.expect("its bytes");
        assert_eq!(bytes, holds.sound[&archive.path], "{}", archive.path);
    }
    let all = archives.iter().map(|archive| bytes_of(bag, archive));
    let all = futures_util::future::join_all(all).await;
    for (archive, bytes) in archives.iter().zip(all) {
        assert_eq!(bytes.expect("its bytes"), holds.sound[&archive.path]);
    }
}

/// Whoever stops reading holds nobody else up.
pub async fn an_archive_may_be_left_in_the_middle(
    bag: &dyn BagReader,
    holds: &Holds,
    archives: &[ListedArchive],
) {
    for archive in archives {
        let mut pieces = bag.open(archive).await.expect("it is there");
        pieces.next().await.expect("a piece").expect("its bytes");
        drop(pieces);
        let bytes = bytes_of(bag, archive).await.expect("its bytes");
        assert_eq!(bytes, holds.sound[&archive.path]);
    }
}

/// Where they lie in a file as they are, they lie there from their first to their last.
pub async fn stored_bytes_are_those_of_the_archive(
    bag: &dyn BagReader,
    holds: &Holds,
    archives: &[ListedArchive],
) {
    for archive in archives {
        let Some(stored) = bag.stored(archive).await else {
            continue;
        };
        assert_eq!(stored.length, archive.bytes);
        let file = stored.file.downcast_ref::<File>().expect("a file");
        let mut bytes = vec![0; holds.sound[&archive.path].len()];
        let read = file.read_exact_at(&mut bytes, stored.offset);
        read.expect("its bytes");
        assert_eq!(bytes, holds.sound[&archive.path], "{}", archive.path);
    }
}
