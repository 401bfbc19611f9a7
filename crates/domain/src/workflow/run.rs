//! One run from its first question to the finished bag.

use std::collections::BTreeSet;

use jiff::Timestamp;
use thiserror::Error;

use super::drive::{Drive, ItemWork, drive};
use super::fetch::{Fetch, Resumed};
use super::item::Item;
use super::ledger::{Book, Ledger, Place};
use super::patience::{Greeting, greet};
use super::second_look::second_look;
use super::set_up::set_up_items;
use super::survey::{Task, survey, survey_once};
use super::tickets;
use super::twins::Twins;
use crate::bag::tags;
use crate::model::{
    ItemKind, ItemRef, ObjectId, Order, Secrets, Section, Strictness, Ticket, TicketPolicy,
};
use crate::ports::{
    ApiError, ArchiveSink, Clock, Event, Fact, Journal, JournalError, Progress, SinkError,
    UserDataApi,
};
use crate::report::{
    Completeness, Failure, Outcome, Report, SectionStatus, Stage, human_bytes, rendered,
};

/// The ports that a run speaks to, besides the sink, which it consumes.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The platform.
    pub api: &'a dyn UserDataApi,
    /// Time.
    pub clock: &'a dyn Clock,
    /// What is remembered beside the unfinished bag.
    pub journal: &'a dyn Journal,
    /// Who hears what happens.
    pub progress: &'a dyn Progress,
}

/// What ends a run without a bag. What can be resumed was kept.
#[derive(Debug, Error)]
pub enum RunError {
    /// The credentials are not accepted.
    #[error("the server refused the credentials of `{user}`")]
    Unauthorized {
        /// Who.
        user: String,
        /// The answer.
        #[source]
        source: ApiError,
    },
    /// The platform cannot be reached, is not a UForge, or went away for good.
    #[error("the platform could not be asked")]
    Platform(#[source] ApiError),
    /// There is a server, but no UForge at this address.
    #[error("there is no UForge at `{url}`")]
    WrongAddress {
        /// The base URL.
        url: String,
        /// The first answer.
        #[source]
        source: ApiError,
    },
    /// None of the sections asked for can be had.
    #[error("nothing of `{user}` can be had from this platform")]
    NothingAvailable {
        /// Whose data.
        user: String,
        /// The first refusal.
        #[source]
        source: ApiError,
    },
    /// The selection names ids that the platform does not list.
    #[error(
        "no {kind} of `{user}` has the id {}; there are: {}",
        list(unknown),
        list(possible)
    )]
    UnknownIds {
        /// Whose data.
        user: String,
        /// Appliance or my software.
        kind: ItemKind,
        /// Ids asked for that do not exist.
        unknown: Vec<ObjectId>,
        /// Ids that exist.
        possible: Vec<ObjectId>,
    },
    /// The archive cannot be written.
    #[error("the archive could not be written")]
    Sink(#[from] SinkError),
    /// The journal cannot be written.
    #[error("the run could not be recorded")]
    Journal(#[from] JournalError),
}

fn list(ids: &[ObjectId]) -> String {
    const SHOWN: usize = 20;
    if ids.is_empty() {
        return "none".to_owned();
    }
    let mut parts: Vec<String> = ids.iter().take(SHOWN).map(ToString::to_string).collect();
    if ids.len() > SHOWN {
        parts.push(format!("and {} more", ids.len() - SHOWN));
    }
    parts.join(", ")
}

/// Brings one user's data home into the sink.
///
/// May be dropped at any await: the journal and the sink then hold what is needed to go on, or to [`super::abandon`].
pub async fn export(
    ports: Ports<'_>,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    let (report, unsafe_tickets) = gather(ports, sink.as_ref(), order).await?;
    ports.progress.on(&Event::Finishing);
    let tags = tags::tag_files(&report, rendered(&report));
    let bag = sink.finish(tags).await?;
    let mut report = report;
    for (ticket, error) in tickets::delete_after_finish(ports, unsafe_tickets).await {
        report.failures.push(tickets::undeleted(ticket, &error));
    }
    Ok(Outcome { report, bag })
}

/// Fills the sink. The report, and the tickets whose bytes are safe only once the bag is finished.
async fn gather(
    ports: Ports<'_>,
    sink: &dyn ArchiveSink,
    order: &Order,
) -> Result<(Report, Vec<Ticket>), RunError> {
    let started = began(ports).await?;
    let greeting = greet(ports, order).await?;
    let platform = greeting.platform.clone();
    ports.progress.on(&Event::Connected {
        platform_version: platform.version.clone(),
    });
    let receipts = sink.resumed_receipts();
    let checkpoint = ports.journal.checkpoint();
    let resumed = Resumed {
        receipts: receipts
            .into_iter()
            .map(|receipt| (receipt.path.clone(), receipt))
            .collect(),
        documents: checkpoint.documents.clone(),
        not_as_json: checkpoint.not_as_json.clone(),
    };
    let twins = Twins::after(&resumed, order);
    let fetch = Fetch {
        ports,
        sink: Some(sink),
        order,
        resumed: &resumed,
        twins: &twins,
    };
    let mut ledger = Ledger::default();
    let following = survey_first(fetch, &mut ledger, &greeting).await?;
    check_selection(order, &ledger)?;
    let foreign = tickets::foreign(ports, order, &checkpoint).await?;
    let drive_with = Drive {
        ports,
        sink,
        order,
        foreign: foreign.as_ref(),
    };
    let has_more = |item: ItemRef| {
        let mut tickets = checkpoint.open.iter();
        tickets.any(|ticket| ticket.item == item)
            || resumed
                .receipts
                .values()
                .any(|receipt| receipt.origin.item == Some(item))
    };
    tickets::doubt_superfluous(ports.journal, has_more).await?;
    let (mut work, places) = set_up_items(drive_with, &ledger, &resumed, &checkpoint);
    warn_of_space(drive_with, hinted_bytes(&ledger, &work, &places));
    announce(ports, &work, &following);
    let rest = later_sections(order).map(Task::of_section);
    let tasks = following.into_iter().chain(rest).collect();
    futures_util::future::try_join(
        drive(drive_with, &mut work),
        survey(fetch, &mut ledger, tasks),
    )
    .await?;
    let mut unsafe_tickets = enter_items(order, &mut ledger, &work, &places);
    tickets::sweep(drive_with, &mut ledger, &work).await?;
    unsafe_tickets.extend(second_look(drive_with, fetch, &mut ledger).await?);
    ledger.notes.extend(ports.journal.checkpoint().doubts);
    ledger.notes.extend(twins.note(order));
    ledger.adopt_unclaimed(resumed.receipts.values());
    let report = report(order, ledger, started, ports, platform.version);
    Ok((report, unsafe_tickets))
}

async fn began(ports: Ports<'_>) -> Result<Timestamp, RunError> {
    if let Some(began) = ports.journal.checkpoint().began {
        return Ok(began);
    }
    let at = ports.clock.now();
    ports.journal.record(Fact::Began { at }).await?;
    Ok(at)
}

/// What must be known before the first export is asked for: the items, and the tickets that lie on the server.
const FIRST: [Section; 5] = [
    Section::Profile,
    Section::Appliances,
    Section::MySoftware,
    Section::CloudAccounts,
    Section::Exports,
];

async fn survey_first(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    greeting: &Greeting,
) -> Result<Vec<Task>, RunError> {
    let order = fetch.order;
    let tasks = FIRST
        .into_iter()
        .filter(|section| order.selection.wants(*section))
        .map(Task::of_section)
        .collect();
    let following = survey_once(fetch, ledger, tasks).await?;
    nothing_at_all(order, ledger, greeting)?;
    Ok(following)
}

fn later_sections(order: &Order) -> impl Iterator<Item = Section> {
    Section::ALL
        .into_iter()
        .filter(|section| order.selection.wants(*section) && !FIRST.contains(section))
}

/// A profile and every other core section refused is no partial export: it is the wrong user or, where the platform did not
/// even tell its status and knows none of them, the wrong address.
pub(super) fn nothing_at_all(
    order: &Order,
    ledger: &Ledger,
    greeting: &Greeting,
) -> Result<(), RunError> {
    let refusal = |section| {
        ledger
            .read(section)
            .and_then(|book: &Book| book.refusal.as_ref())
    };
    let mut core = Section::ALL
        .into_iter()
        .filter(|section| section.is_core() && order.selection.wants(*section));
    match refusal(Section::Profile) {
        Some(first) if core.all(|section| refusal(section).is_some()) => {
            Err(nothing_available(order, greeting, first.error.clone()))
        }
        _ => Ok(()),
    }
}

fn nothing_available(order: &Order, greeting: &Greeting, source: ApiError) -> RunError {
    let is_elsewhere = matches!(
        source,
        ApiError::NotFound { .. }
            | ApiError::Refused { .. }
            | ApiError::NotUForge { .. }
            | ApiError::Unreadable { .. }
    );
    if is_elsewhere && !greeting.is_uforge {
        return RunError::WrongAddress {
            url: order.source.clone(),
            source,
        };
    }
    RunError::NothingAvailable {
        user: order.user.to_string(),
        source,
    }
}

/// Ids that were asked for must exist: a typing error is not an empty export.
pub(super) fn check_selection(order: &Order, ledger: &Ledger) -> Result<(), RunError> {
    for kind in [ItemKind::Appliance, ItemKind::MySoftware] {
        let section = Section::of_items(kind);
        let (Some(only), Some(book)) = (
            order.selection.only(kind),
            ledger.read(section).filter(|book| book.listed),
        ) else {
            continue;
        };
        let ids = book
            .entries
            .iter()
            .filter_map(|entry| ObjectId::try_from(entry.facts.id?).ok());
        let possible: BTreeSet<ObjectId> = ids.collect();
        let unknown: Vec<ObjectId> = only.difference(&possible).copied().collect();
        if !unknown.is_empty() {
            let possible = possible.into_iter().collect();
            return Err(RunError::UnknownIds {
                user: order.user.to_string(),
                kind,
                unknown,
                possible,
            });
        }
    }
    Ok(())
}

pub(super) fn machine_for(order: &Order, item: ItemRef) -> Item {
    Item::new(
        item,
        order.seed,
        order.max_wait,
        order.tickets == TicketPolicy::Keep,
    )
}

pub(super) fn name_of(ledger: &Ledger, place: Place) -> String {
    let entry = ledger
        .read(place.section)
        .and_then(|book| book.entries.get(place.index));
    entry
        .and_then(|entry| entry.facts.name.clone())
        .unwrap_or_else(|| "without a name".to_owned())
}

/// What the platform says of the sizes of the software that is not in the bag yet. It counts packages that an archive does not
/// hold (`docs/platform.md`), so it is a hint: it may be a thousand times what arrives.
fn hinted_bytes(ledger: &Ledger, work: &[ItemWork], places: &[Place]) -> Option<u64> {
    let missing = work.iter().zip(places).filter(|(item, place)| {
        item.machine.receipt().is_none() && place.section == Section::MySoftware
    });
    let sizes = missing.filter_map(|(_, place)| {
        ledger
            .read(place.section)?
            .entries
            .get(place.index)?
            .facts
            .size
    });
    sizes.reduce(u64::saturating_add)
}

/// A hint of size is never a reason to refuse: where it is more than the disk has, a person is warned, and the run goes on.
fn warn_of_space(drive: Drive<'_>, hinted: Option<u64>) {
    let (Some(hinted), Some((free, path))) = (hinted, drive.sink.free_space()) else {
        return;
    };
    if hinted > free {
        let message = format!(
            "the platform gives the software bundles a size of {} and `{}` has {} free; their archives are mostly much smaller, so the export goes on",
            human_bytes(hinted),
            path.display(),
            human_bytes(free)
        );
        drive.ports.progress.on(&Event::Note { message });
    }
}

fn announce(ports: Ports<'_>, work: &[ItemWork], following: &[Task]) {
    ports.progress.on(&Event::Planned {
        items: work.len() as u64,
        documents: following.len() as u64,
    });
}

/// Enters what became of the items. The tickets whose bytes are not safe before the bag is finished.
pub(super) fn enter_items(
    order: &Order,
    ledger: &mut Ledger,
    work: &[ItemWork],
    places: &[Place],
) -> Vec<Ticket> {
    let mut unsafe_tickets = Vec::new();
    for (item, place) in work.iter().zip(places) {
        let machine = &item.machine;
        if let Some(receipt) = machine.receipt() {
            ledger.file(&[*place], receipt.clone());
            if !receipt.durable && order.tickets == TicketPolicy::Delete {
                unsafe_tickets.extend(receipt.origin.ticket);
            }
        }
        if let Some(loss) = machine.loss() {
            let failure = ledger.failure_of(
                *place,
                loss.stage,
                loss.http_status,
                loss.message.clone(),
                machine.attempts(),
            );
            ledger.lose(*place, failure, loss.status);
            if let Some(entry) = ledger.entry(*place) {
                entry.gone = loss.says_gone();
            }
        }
        ledger.failures.extend(undeleted_of(item));
    }
    unsafe_tickets
}

/// The tickets of an item that should have been deleted and are still on the platform.
pub(super) fn undeleted_of(item: &ItemWork) -> impl Iterator<Item = Failure> {
    let undeleted = item.machine.undeleted().iter();
    undeleted.map(|(ticket, error)| Failure {
        name: Some(item.name.clone()),
        ..tickets::undeleted(*ticket, error)
    })
}

fn report(
    order: &Order,
    ledger: Ledger,
    started: Timestamp,
    ports: Ports<'_>,
    platform_version: Option<String>,
) -> Report {
    let sections = ledger.section_reports(order);
    let refused = sections.iter().any(|section| {
        section.status == SectionStatus::Unavailable
            && (section.section.is_core() || order.strictness == Strictness::EverySection)
    });
    let lost = ledger
        .failures
        .iter()
        .any(|failure| failure.stage != Stage::Delete)
        || sections
            .iter()
            .any(|section| section.status == SectionStatus::Partial);
    let items = ledger.item_reports(order);
    Report {
        tool_version: order.tool_version.clone(),
        source: order.source.clone(),
        platform_version,
        user: order.user.clone(),
        started,
        finished: ports.clock.now(),
        completeness: if refused || lost {
            Completeness::Partial
        } else {
            Completeness::Complete
        },
        sections,
        items,
        files: ledger.files,
        failures: ledger.failures,
        notes: ledger.notes,
        notice: order.notice.clone(),
        redacted: order.secrets == Secrets::Redact,
    }
}
