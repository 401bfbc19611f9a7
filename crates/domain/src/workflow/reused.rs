//! The items that are taken from an earlier bag: decided, copied, and where that fails exported.

use std::collections::BTreeMap;

use super::copies::{Copies, NotCopied};
use super::since::{Reusable, Reuse, Since, not_taken, read_first};
use crate::model::ItemRef;
use crate::ports::{Event, Fact, JournalState};
use crate::workflow::context::RunError;
use crate::workflow::drive::{Drive, ItemWork, drive};
use crate::workflow::fetch::Fetch;
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::survey::Task;

/// The items that are taken from the earlier bag.
#[derive(Default)]
pub(crate) struct Reused {
    work: Vec<(ItemWork, Reusable)>,
    places: Vec<Place>,
}

impl Reused {
    /// Decides what is taken and moves it out of the items of a run. Items that an interrupted run has started, stored, or
    /// failed to reuse are exported as usual. Of the documents that are to be fetched, those on which it depends are fetched first; the others are
    /// given back.
    pub(crate) async fn take_from(
        since: Option<Since<'_>>,
        (fetch, ledger): (Fetch<'_>, &mut Ledger),
        documents: Vec<Task>,
        checkpoint: &JournalState,
        (work, places): (&mut Vec<ItemWork>, &mut Vec<Place>),
    ) -> Result<(Self, Vec<Task>), RunError> {
        let mut reused = Self::default();
        let Some(since) = since else {
            return Ok((reused, documents));
        };
        let documents = read_first(since, fetch, ledger, documents).await?;
        let names: BTreeMap<ItemRef, String> = work
            .iter()
            .filter(|work| work.is_untouched())
            .map(|work| (work.machine.item(), work.name.clone()))
            .filter(|(item, _)| !checkpoint.not_reused.contains_key(item))
            .collect();
        let items: Vec<ItemRef> = names.keys().copied().collect();
        let mut reuse = Reuse::of(since, fetch, ledger, &items).await?;
        ledger.notes.extend(reuse.notes(since, &names));
        let all = std::mem::take(work).into_iter();
        for (item, place) in all.zip(std::mem::take(places)) {
            if let Some(reusable) = reuse.taken.remove(&item.machine.item()) {
                reused.work.push((item, reusable));
                reused.places.push(place);
            } else {
                work.push(item);
                places.push(place);
            }
        }
        Ok((reused, documents))
    }

    /// Copies them. Those whose bytes are not what the manifest says are recorded, and left as they are.
    pub(crate) async fn copy(
        &mut self,
        drive: Drive<'_>,
        since: Option<Since<'_>>,
    ) -> Result<(), RunError> {
        let Some(since) = since else {
            return Ok(());
        };
        let mut receipts = Vec::new();
        let mut copies = Copies::of(drive, since, &self.work);
        while let Some((index, copy)) = copies.next().await {
            match copy {
                Ok(receipt) => receipts.push((index, receipt)),
                Err(NotCopied::Sink(error)) => return Err(error.into()),
                Err(NotCopied::Differs(why)) => {
                    if let Some((work, _)) = self.work.get(index) {
                        record_difference(drive, since, work, &why).await?;
                    }
                }
            }
        }
        drop(copies);
        for (index, receipt) in receipts {
            if let Some((work, _)) = self.work.get_mut(index) {
                work.machine = work.machine.clone().with_receipt(receipt, Vec::new());
            }
        }
        Ok(())
    }

    /// Exports those that could not be copied. All of them are items of the run then, as any other.
    pub(crate) async fn export_rest(
        self,
        drive_with: Drive<'_>,
        work: &mut Vec<ItemWork>,
        places: &mut Vec<Place>,
    ) -> Result<(), RunError> {
        let mut reused: Vec<ItemWork> = self.work.into_iter().map(|(work, _)| work).collect();
        drive(drive_with, &mut reused).await?;
        work.extend(reused);
        places.extend(self.places);
        Ok(())
    }
}

async fn record_difference(
    drive: Drive<'_>,
    since: Since<'_>,
    work: &ItemWork,
    why: &str,
) -> Result<(), RunError> {
    let item = work.machine.item();
    let note = not_taken(since, item, &work.name, why);
    drive.ports.progress.on(&Event::Note {
        message: note.clone(),
    });
    let fact = Fact::NotReused { item, note };
    Ok(drive.ports.journal.record(fact).await?)
}
