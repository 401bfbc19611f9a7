//! What becomes of the items of a run: which are taken from the earlier bag.

use std::collections::{BTreeMap, BTreeSet};

use super::earlier::{EarlierArchive, Since};
use super::rule::{Changed, Now, State, unchanged};
use crate::bag::layout;
use crate::model::{
    ItemKind, ItemRef, ListResource, ObjectFacts, ObjectId, Order, Page, Resource, Section,
};
use crate::ports::ListedArchive;
use crate::workflow::attempt::settle;
use crate::workflow::context::RunError;
use crate::workflow::fetch::Fetch;
use crate::workflow::ledger::{Ledger, Place};
use crate::workflow::survey::{Task, survey_once};

const KINDS: [ItemKind; 2] = [ItemKind::Appliance, ItemKind::MySoftware];

/// An archive that is taken from the earlier bag.
#[derive(Clone, Debug)]
pub(crate) struct Reusable {
    pub(crate) described: EarlierArchive,
    pub(crate) archive: ListedArchive,
}

/// What is taken from the earlier bag.
#[derive(Debug, Default)]
pub(crate) struct Reuse {
    pub(crate) taken: BTreeMap<ItemRef, Reusable>,
    /// The items that are exported, and why.
    pub(crate) exported: BTreeMap<ItemRef, Changed>,
    /// Archives that the earlier bag should hold unchanged, and that are damaged there: in words.
    pub(crate) damaged: BTreeMap<ItemRef, String>,
}

/// Reads the documents on which it depends what is taken: those of items whose state in the lists is not another one than in the
/// earlier bag. What of the tasks is still to be done.
pub(crate) async fn read_first(
    since: Since<'_>,
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    tasks: Vec<Task>,
) -> Result<Vec<Task>, RunError> {
    let may_be_unchanged = |task: &Task| match task {
        Task::Object(place, Resource::Item(item), _) => {
            let facts = ledger.facts(*place);
            facts.is_some_and(|facts| since.may_be_unchanged(*item, facts))
        }
        _ => false,
    };
    let (first, mut rest): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(may_be_unchanged);
    rest.extend(survey_once(fetch, ledger, first).await?);
    Ok(rest)
}

impl Since<'_> {
    fn may_be_unchanged(self, item: ItemRef, facts: &ObjectFacts) -> bool {
        let other = |now: &Option<String>, then: &Option<String>| {
            now.is_some() && then.is_some() && now != then
        };
        self.earlier.item(item).is_some_and(|held| {
            held.archive.is_ok()
                && !other(&facts.digest, &held.digest)
                && !other(&facts.last_modified, &held.last_modified)
        })
    }
}

impl Reuse {
    /// Decides about the items, once their documents are read.
    pub(crate) async fn of(
        since: Since<'_>,
        fetch: Fetch<'_>,
        ledger: &Ledger,
        items: &[ItemRef],
    ) -> Result<Self, RunError> {
        let bundles = unselected_bundles(fetch).await?;
        let now = now(fetch.order, ledger, &bundles);
        let mut reuse = Self::default();
        let mut unchanged_items = BTreeMap::new();
        for item in items {
            match unchanged(*item, &now, since.earlier) {
                Ok(archive) => {
                    unchanged_items.insert(*item, archive.clone());
                }
                Err(why) => {
                    reuse.exported.insert(*item, why);
                }
            }
        }
        reuse.locate(since, unchanged_items).await;
        Ok(reuse)
    }

    /// What a person should know of it.
    pub(crate) fn notes(&self, since: Since<'_>, names: &BTreeMap<ItemRef, String>) -> Vec<String> {
        if self
            .exported
            .values()
            .any(|why| *why == Changed::OtherFormat)
        {
            let bag = &since.earlier.identity().name;
            return vec![format!(
                "nothing was taken from `{bag}`: its archives were made with another output format, or it does not say with which"
            )];
        }
        let damaged = self.damaged.iter();
        damaged
            .map(|(item, why)| {
                let name = names.get(item).map_or("without a name", String::as_str);
                not_taken(since, *item, name, why)
            })
            .collect()
    }

    /// Finds the archives in the bag. One that is not there as described is exported.
    async fn locate(&mut self, since: Since<'_>, unchanged: BTreeMap<ItemRef, EarlierArchive>) {
        let paths: BTreeSet<String> = unchanged
            .values()
            .map(|archive| archive.path.clone())
            .collect();
        let found = since.bag.locate(&paths).await;
        for (item, described) in unchanged {
            let found = match &found {
                Ok(found) => found.get(&described.path).cloned(),
                Err(error) => Some(Err(error.to_string())),
            };
            let found = found.unwrap_or_else(|| Err("it was not found".to_owned()));
            let is_described = |archive: &ListedArchive| {
                archive.bytes == described.bytes && archive.sha256 == described.sha256
            };
            let damage = match found {
                Ok(archive) if is_described(&archive) => {
                    let reusable = Reusable { described, archive };
                    self.taken.insert(item, reusable);
                    continue;
                }
                Ok(_) => format!(
                    "`{}` differs from what `export.json` says of it",
                    described.path
                ),
                Err(damage) => damage,
            };
            self.damaged.insert(item, damage.clone());
            self.exported.insert(item, Changed::Unusable(damage));
        }
    }
}

/// What a person reads about an archive that should have been taken and was exported.
pub(crate) fn not_taken(since: Since<'_>, item: ItemRef, name: &str, why: &str) -> String {
    let bag = &since.earlier.identity().name;
    format!("{item} `{name}` was not taken from `{bag}`, and exported instead: {why}")
}

/// What the platform says now, as far as it was read.
fn now<'a>(order: &'a Order, ledger: &'a Ledger, bundles: &'a [ObjectFacts]) -> Now<'a> {
    let mut now = Now {
        user: &order.user,
        output_format: order.output_format,
        states: BTreeMap::new(),
        references: BTreeMap::new(),
    };
    for kind in KINDS {
        let entries = ledger.read(Section::of_items(kind));
        let entries = entries.map(|book| book.entries.as_slice());
        for entry in entries.unwrap_or_default() {
            now.enter(kind, &entry.facts);
        }
    }
    for facts in bundles {
        now.enter(ItemKind::MySoftware, facts);
    }
    now
}

impl<'a> Now<'a> {
    fn enter(&mut self, kind: ItemKind, facts: &'a ObjectFacts) {
        let Some(id) = facts.id.and_then(|id| ObjectId::try_from(id).ok()) else {
            return;
        };
        let item = ItemRef { kind, id };
        let state = State {
            digest: facts.digest.as_deref(),
            last_modified: facts.last_modified.as_deref(),
        };
        self.states
            .entry(item)
            .and_modify(|first| *first = State::default())
            .or_insert(state);
        if let Some(references) = &facts.bundles {
            self.references.insert(item, references);
        }
    }
}

/// The software bundles, where they are not exported but appliances are: read for their states only. Where they cannot be read,
/// appliances that refer to them count as changed.
async fn unselected_bundles(fetch: Fetch<'_>) -> Result<Vec<ObjectFacts>, RunError> {
    let selection = &fetch.order.selection;
    if selection.wants(Section::MySoftware) || !selection.wants(Section::Appliances) {
        return Ok(Vec::new());
    }
    let unkept = fetch.without_sink();
    let resource = |page: Page| Resource::List(ListResource::MySoftware, page);
    let path = |page, form| layout::list_document(Section::MySoftware, page, form);
    let list = unkept.list(Section::MySoftware, resource, path).await;
    Ok(match settle(list)? {
        Ok(list) if list.failed.is_none() && list.shortfall.is_none() => list.objects,
        _ => Vec::new(),
    })
}

/// The appliances that were taken from the earlier bag and refer to a software bundle that has changed since the lists were read.
pub(crate) fn dependents_of(
    ledger: &Ledger,
    changed: &[(Place, ObjectId)],
) -> Vec<(Place, ObjectId)> {
    let bundles: BTreeSet<i64> = changed
        .iter()
        .filter(|(place, _)| place.section == Section::MySoftware)
        .map(|(_, id)| id.get())
        .collect();
    let items = ledger.items(ItemKind::Appliance).into_iter();
    items
        .filter(|(place, item)| !changed.contains(&(*place, item.id)))
        .filter(|(place, _)| ledger.is_reused(*place))
        .filter(|(place, _)| {
            let facts = ledger.facts(*place);
            let references = facts.and_then(|facts| facts.bundles.as_ref());
            references.is_some_and(|references| {
                let mut ids = references.iter().filter_map(|reference| reference.id);
                ids.any(|id| bundles.contains(&id))
            })
        })
        .map(|(place, item)| (place, item.id))
        .collect()
}
