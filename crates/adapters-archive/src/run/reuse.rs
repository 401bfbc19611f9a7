//! What of an interrupted run's files the next run uses, and what it removes.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU32;

use super::error::OpenError;
use super::partial::PartialEntries;
use crate::container::Span;
use crate::encrypt::SpoolKey;
use crate::journal::{Checkpoint, Payload, SpooledEntry};
use crate::spool::{Spool, SpoolFile, WorkFolder, remove_if_there};
use crate::writer::{Resumed, SavedPartial, SavedPlace};

/// The spool of a run: its files get numbers that no file of an interrupted run has.
pub(super) fn spool_after(
    found: &Checkpoint,
    work: &WorkFolder,
    payload: Payload,
) -> Result<Spool, OpenError> {
    let on_disk = work
        .spool_files()
        .map_err(OpenError::of("read", work.path()))?;
    let recorded = found.spooled.iter().map(|spooled| spooled.spool_file);
    let next = recorded.chain(on_disk).max().map_or(0, |last| last + 1);
    Ok(match payload {
        Payload::Resumed => Spool::Named {
            folder: work.clone(),
            next: AtomicU32::new(next),
        },
        Payload::FetchedAgain => Spool::Nameless {
            folder: work.path().to_path_buf(),
            key: Some(SpoolKey::generate()),
        },
    })
}

/// Opens the spool files that the journal names and that are whole, saves partial entries, and removes all other spool files.
pub(super) fn reuse(
    mut found: Checkpoint,
    partial_entries: &PartialEntries<'_>,
) -> Result<Resumed, OpenError> {
    let work = partial_entries.work;
    let mut files = Vec::new();
    // What is dropped from `spooled` gets no receipt: it is fetched again.
    found.spooled.retain(|entry| {
        let file = open_whole(work, entry);
        let is_whole = file.is_some();
        files.extend(file);
        is_whole
    });
    let receipts = found.receipts();
    let mut taken: Vec<Span> = found.placed.iter().map(|(_, span)| *span).collect();
    let mut partial: Vec<SavedPartial> = Vec::new();
    for recorded in std::mem::take(&mut found.partial) {
        let Some(saved) = partial_entries.save(recorded, &taken) else {
            continue;
        };
        if let SavedPlace::Reserved(span, _) = saved.place {
            taken.push(span);
        }
        partial.push(saved);
    }
    let waiting = found.spooled.iter().map(|entry| entry.spool_file);
    let downloads = partial.iter().filter_map(|saved| match &saved.place {
        SavedPlace::Spooled(spool_file) => spool_file.number(),
        SavedPlace::Reserved(..) => None,
    });
    remove_spool_files(work, &waiting.chain(downloads).collect())?;
    Ok(Resumed {
        placed: found.placed,
        end: taken.iter().map(|span| span.end).max().unwrap_or(0),
        spooled: found.spooled.into_iter().zip(files).collect(),
        partial,
        receipts,
    })
}

/// The file of an entry that waits, where it is as it was when it was flushed.
fn open_whole(work: &WorkFolder, entry: &SpooledEntry) -> Option<SpoolFile> {
    let expected = (entry.record.packed, entry.checksum);
    let file = SpoolFile::reopen(work, entry.spool_file)
        .ok()
        .filter(|file| file.measure().is_ok_and(|sums| sums == expected));
    if file.is_none() {
        tracing::warn!(path = %entry.record.entry.path, "a file that waited for its place in the bag is damaged: it is fetched again");
    }
    file
}

/// Removes all spool files but these.
pub(super) fn remove_spool_files(work: &WorkFolder, kept: &BTreeSet<u32>) -> Result<(), OpenError> {
    let numbers = work
        .spool_files()
        .map_err(OpenError::of("read", work.path()))?;
    for number in numbers.into_iter().filter(|number| !kept.contains(number)) {
        let path = work.spool_file(number);
        remove_if_there(&path).map_err(OpenError::of("remove", &path))?;
    }
    Ok(())
}
