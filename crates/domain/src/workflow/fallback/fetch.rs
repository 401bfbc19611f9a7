//! Fetches the parts of an item, a few at a time. What is refused is noted, and changes nothing.

use std::ops::Bound;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::addresses::{Wanted, parts_below, parts_of_item};
use super::note::{Account, why};
use super::queue::Queue;
use crate::bag::layout;
use crate::model::{
    BagPath, BinaryRef, ObjectFacts, Page, PartRef, Resource, Section, UploadFacts, UploadRole,
};
use crate::ports::Receipt;
use crate::workflow::Limits;
use crate::workflow::attempt::{Failed, settle};
use crate::workflow::context::RunError;
use crate::workflow::fetch::{Fetch, FileFailure};
use crate::workflow::item::Item;
use crate::workflow::ledger::{Ledger, Place};

/// What was got of one part.
enum Got {
    Document(PartRef, Result<Parts, Failed>),
    File(PartRef, Result<Receipt, FileFailure>),
}

/// A part's document, all its pages together.
struct Parts {
    objects: Vec<ObjectFacts>,
    receipts: Vec<Receipt>,
    failed: Option<Failed>,
}

/// Where the platform can give no archive of an item, fetches the documents and files below it. What an interrupted run fetched of an
/// item that could be exported after all stays in the bag as the item's.
pub(crate) async fn fetch_parts(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    machine: &Item,
    place: Place,
) -> Result<(), RunError> {
    let item = machine.item();
    let folder = ledger.folder_of(place, item.id);
    if !machine.failure().is_some_and(|failure| failure.is_for_good) {
        claim_earlier(fetch, ledger, place, &layout::fallback_folder(&folder));
        return Ok(());
    }
    let facts = ledger.facts(place).cloned().unwrap_or_default();
    let mut queue = Queue::default();
    queue.extend(parts_of_item(item, &facts));
    let mut account = Account::default();
    let mut under_way: FuturesUnordered<BoxFuture<'_, Result<Got, RunError>>> =
        FuturesUnordered::new();
    loop {
        while under_way.len() < Limits::DOCUMENTS_AT_ONCE
            && let Some(wanted) = queue.next()
        {
            under_way.push(Box::pin(get(fetch, wanted, folder.clone())));
        }
        let Some(got) = under_way.next().await else {
            break;
        };
        queue.extend(enter(ledger, place, &mut account, got?));
    }
    let name = format!("{item} `{}`", ledger.name_of(place));
    let note = account.in_words(&name, &layout::fallback_folder(&folder), queue.left());
    ledger.notes.push(note);
    Ok(())
}

async fn get(fetch: Fetch<'_>, wanted: Wanted, folder: BagPath) -> Result<Got, RunError> {
    let part = wanted.part;
    let section = Section::of_items(part.item().kind);
    if part.kind().is_file() {
        let facts = file_facts(&wanted);
        let path = |_: &str| {
            let name = facts.name.as_deref().unwrap_or("file");
            layout::part_file(&folder, part, name)
        };
        let answer = fetch
            .file(
                section,
                BinaryRef::Part(part),
                &part.to_string(),
                &facts,
                path,
            )
            .await;
        return Ok(Got::File(part, settle(answer)?));
    }
    let path = |page, form| layout::part_document(&folder, part, page, form);
    let answer = if part.kind().has_pages() {
        let list = fetch.list(section, |page| Resource::Part(part, page), path);
        settle(list.await)?.map(|list| Parts {
            objects: list.objects,
            receipts: list
                .pages
                .into_iter()
                .flat_map(|page| page.receipts)
                .collect(),
            failed: list.failed,
        })
    } else {
        let resource = Resource::Part(part, Page::Whole);
        let document = fetch.document(section, resource, |form| path(1, form));
        settle(document.await)?.map(|document| Parts {
            objects: document.facts.objects,
            receipts: document.receipts,
            failed: document.json_failed,
        })
    };
    Ok(Got::Document(part, answer))
}

/// Its length is all that is checked: a checksum that the platform published may be of another state of the file.
fn file_facts(wanted: &Wanted) -> UploadFacts {
    UploadFacts {
        role: UploadRole::Part,
        id: None,
        name: wanted.name.clone(),
        uploaded: true,
        size: wanted.size,
        sha256: None,
        md5: None,
        media_type: None,
    }
}

/// Enters what was got; the parts that follow from it.
fn enter(ledger: &mut Ledger, place: Place, account: &mut Account, got: Got) -> Vec<Wanted> {
    match got {
        Got::Document(part, Ok(parts)) => {
            for receipt in parts.receipts {
                account.document();
                ledger.file(&[place], receipt);
            }
            if let Some(failed) = parts.failed {
                account.refused(part, &why(&failed.error));
            }
            parts_below(part, &parts.objects)
        }
        Got::Document(part, Err(failed)) => {
            account.refused(part, &why(&failed.error));
            Vec::new()
        }
        Got::File(_, Ok(receipt)) => {
            account.file();
            ledger.file(&[place], receipt);
            Vec::new()
        }
        Got::File(part, Err(failure)) => {
            let status = failure.http_status.map(|status| status.to_string());
            account.refused(part, &status.unwrap_or(failure.message));
            Vec::new()
        }
    }
}

/// The parts that an interrupted run fetched of an item for which they are not asked for now.
fn claim_earlier(fetch: Fetch<'_>, ledger: &mut Ledger, place: Place, folder: &BagPath) {
    let all = &fetch.resumed.receipts;
    let from = all.range((Bound::Excluded(folder.clone()), Bound::Unbounded));
    let below = format!("{folder}/");
    let earlier = from.take_while(|(path, _)| path.as_str().starts_with(&below));
    let mut number = 0;
    for (_, receipt) in earlier {
        ledger.file(&[place], receipt.clone());
        number += 1;
    }
    if number > 0 {
        ledger.notes.push(format!(
            "`{folder}` is from an earlier attempt, in which the platform could give no archive of the item"
        ));
    }
}
