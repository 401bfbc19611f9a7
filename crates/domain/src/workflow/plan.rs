//! What an export contains: selection ∩ survey. The `plan` command prints it; an export executes it.

use super::context::{Ports, RunError};
use super::fetch::Fetch;
use super::greet::greet;
use super::json::Json;
use super::ledger::Ledger;
use super::resumed::Resumed;
use super::since::{Changed, Reuse, Since, read_first};
use super::survey::{Task, check_selection, nothing_at_all, survey_once};
use crate::model::{ItemKind, ItemRef, Order, Resource, Section};
use crate::report::SectionStatus;

/// What is planned for one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionPlan {
    /// It will be fetched.
    Fetch {
        /// Objects in its list.
        listed: u64,
        /// Objects that the selection wants.
        wanted: u64,
        /// Bytes, where the platform says them.
        bytes: Option<u64>,
    },
    /// The platform refuses or does not know it.
    Unavailable {
        /// Why.
        reason: String,
    },
    /// It will be fetched; its list is not read yet. The plan that an export executes has such sections: their lists are read
    /// while the platform works on the archives.
    Unread,
    /// Not asked for.
    Excluded,
}

/// One section of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSection {
    /// Which.
    pub section: Section,
    /// What is planned.
    pub plan: SectionPlan,
}

/// One item of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedItem {
    /// Which.
    pub item: ItemRef,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `size` in bytes, where the platform says one.
    pub size: Option<u64>,
    /// Whether it is taken from the earlier bag instead of exported, and why not. `None` where there is no earlier bag.
    pub reuse: Option<Result<(), Changed>>,
}

/// What an export contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The platform's version, where it says one.
    pub platform_version: Option<String>,
    /// Every section of the table, in its order.
    pub sections: Vec<PlannedSection>,
    /// The items whose archives are exported.
    pub items: Vec<PlannedItem>,
}

/// Says what an export would contain. Sends nothing but GET.
pub async fn plan(ports: Ports<'_>, order: &Order) -> Result<Plan, RunError> {
    let (platform_version, ledger) = read_lists(ports, order).await?;
    check_selection(order, &ledger)?;
    Ok(Plan::of(order, &ledger, platform_version))
}

/// The same, and which archives would be taken from an earlier bag.
pub async fn plan_since(
    ports: Ports<'_>,
    since: Since<'_>,
    order: &Order,
) -> Result<Plan, RunError> {
    let (platform_version, mut ledger) = read_lists(ports, order).await?;
    check_selection(order, &ledger)?;
    let mut plan = Plan::of(order, &ledger, platform_version);
    let (resumed, json) = (Resumed::default(), Json::default());
    let fetch = Fetch {
        ports,
        sink: None,
        order,
        resumed: &resumed,
        json: &json,
    };
    let tasks = ledger.places().into_iter().map(|(item, place)| {
        let folder = ledger.folder_of(place, item.id);
        Task::Object(place, Resource::Item(item), folder)
    });
    let tasks = tasks.collect();
    read_first(since, fetch, &mut ledger, tasks).await?;
    let reuse = Reuse::of(since, fetch, &ledger, &plan.item_refs()).await?;
    for planned in &mut plan.items {
        planned.reuse = match reuse.exported.get(&planned.item) {
            Some(why) => Some(Err(why.clone())),
            None => Some(Ok(())),
        };
    }
    Ok(plan)
}

impl Plan {
    /// The plan that follows from the lists that were read so far.
    pub(super) fn of(order: &Order, ledger: &Ledger, platform_version: Option<String>) -> Self {
        Self {
            platform_version,
            sections: planned_sections(order, ledger),
            items: planned_items(order, ledger),
        }
    }

    /// The items whose archives are in it.
    pub(super) fn item_refs(&self) -> Vec<ItemRef> {
        self.items.iter().map(|planned| planned.item).collect()
    }

    /// The sections whose lists are still to be read.
    pub(super) fn unread_sections(&self) -> impl Iterator<Item = Section> {
        let sections = self.sections.iter();
        let unread = sections.filter(|planned| planned.plan == SectionPlan::Unread);
        unread.map(|planned| planned.section)
    }
}

/// Reads every list that the order wants, as an export does, and keeps nothing: the platform's version, and the books.
pub(super) async fn read_lists(
    ports: Ports<'_>,
    order: &Order,
) -> Result<(Option<String>, Ledger), RunError> {
    let greeting = greet(ports, order).await?;
    let resumed = Resumed::default();
    let json = Json::default();
    let fetch = Fetch {
        ports,
        sink: None,
        order,
        resumed: &resumed,
        json: &json,
    };
    let mut ledger = Ledger::default();
    let wanted = Section::ALL
        .into_iter()
        .filter(|section| order.selection.wants(*section));
    let mut tasks: Vec<Task> = wanted.map(Task::of_section).collect();
    while !tasks.is_empty() {
        tasks = survey_once(fetch, &mut ledger, tasks).await?;
        tasks.retain(Task::lists_something);
    }
    nothing_at_all(order, &ledger, &greeting)?;
    Ok((greeting.platform.version, ledger))
}

fn planned_sections(order: &Order, ledger: &Ledger) -> Vec<PlannedSection> {
    let reports = ledger.section_reports(order).into_iter();
    reports
        .map(|report| {
            let section = report.section;
            let plan = match report.status {
                SectionStatus::Excluded => SectionPlan::Excluded,
                _ if ledger.read(section).is_none() => SectionPlan::Unread,
                SectionStatus::Unavailable if report.items == 0 => SectionPlan::Unavailable {
                    reason: report.reason.unwrap_or_default(),
                },
                SectionStatus::Complete | SectionStatus::Partial | SectionStatus::Unavailable => {
                    let listed = report.listed.unwrap_or_default();
                    SectionPlan::Fetch {
                        listed,
                        wanted: listed.saturating_sub(report.excluded),
                        bytes: bytes_of(ledger, section),
                    }
                }
            };
            PlannedSection { section, plan }
        })
        .collect()
}

fn bytes_of(ledger: &Ledger, section: Section) -> Option<u64> {
    let book = ledger.read(section)?;
    let sizes = book
        .entries
        .iter()
        .filter(|entry| entry.wanted)
        .filter_map(|entry| entry.facts.size);
    sizes.reduce(u64::saturating_add)
}

fn planned_items(order: &Order, ledger: &Ledger) -> Vec<PlannedItem> {
    let items = [ItemKind::Appliance, ItemKind::MySoftware]
        .into_iter()
        .flat_map(|kind| ledger.items(kind));
    items
        .filter(|(_, item)| order.selection.wants_item(*item))
        .filter_map(|(place, item)| {
            let facts = ledger.facts(place)?;
            Some(PlannedItem {
                item,
                name: facts.name.clone(),
                version: facts.version.clone(),
                size: facts.size,
                reuse: None,
            })
        })
        .collect()
}
