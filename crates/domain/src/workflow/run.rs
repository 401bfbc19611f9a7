//! One run from its first request to the finished bag.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::try_join3;
use jiff::Timestamp;

use super::context::{Ports, RunError};
use super::drive::{Drive, ItemWork, drive, enter_items, prepare_items};
use super::fallback::fetch_parts;
use super::fetch::Fetch;
use super::greet::{Greeting, greet};
use super::json::Json;
use super::ledger::Ledger;
use super::own_files::OwnFiles;
use super::plan::Plan;
use super::recount::recount_and_refetch;
use super::resumed::Resumed;
use super::reused::Reused;
use super::since::Since;
use super::survey::{Task, check_selection, nothing_at_all, survey, survey_once};
use super::tickets;
use super::usual::ExportTimes;
use crate::model::{ItemKind, ItemRef, Order, Secrets, Section, Strictness, Ticket};
use crate::ports::{ArchiveSink, Event, Fact, JournalState};
use crate::report::{Completeness, Outcome, Report, SectionStatus, Stage, human_bytes};

/// Exports one user's data into the sink.
///
/// May be dropped at any await: the journal and the sink then hold what is needed to resume, or to [`super::abandon`].
pub async fn export(
    ports: Ports<'_>,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    export_knowing(ports, Known::default(), sink, order).await
}

/// The same, and archives that have not changed since an earlier bag are taken from it. The order says which bag that is.
pub async fn export_since(
    ports: Ports<'_>,
    since: Since<'_>,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    let known = Known {
        since: Some(since),
        ..Known::default()
    };
    export_knowing(ports, known, sink, order).await
}

/// What a run may know besides its order.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// An earlier bag that archives which have not changed are taken from.
    pub since: Option<Since<'a>>,
    /// How long exports took in other runs. Those of this run are added.
    pub times: Option<&'a ExportTimes>,
}

/// The same as [`export`], with all that is known besides.
pub async fn export_knowing(
    ports: Ports<'_>,
    known: Known<'_>,
    sink: Box<dyn ArchiveSink>,
    order: &Order,
) -> Result<Outcome, RunError> {
    let (report, delete_after_finish) = gather(ports, known, sink.as_ref(), order).await?;
    ports.progress.on(&Event::Finishing);
    let is_partial = report.completeness == Completeness::Partial;
    ports.journal.record(Fact::Finishing { is_partial }).await?;
    let report = Arc::new(report);
    let files = OwnFiles(Arc::clone(&report));
    let bag = sink.finish(Box::new(files)).await?;
    let mut report = Arc::unwrap_or_clone(report);
    let left = tickets::delete_after_finish(ports, delete_after_finish).await;
    report.failures.extend(left);
    Ok(Outcome { report, bag })
}

/// Fills the sink. The report, and the tickets whose bytes are durable only once the bag is finished.
async fn gather(
    ports: Ports<'_>,
    known: Known<'_>,
    sink: &dyn ArchiveSink,
    order: &Order,
) -> Result<(Report, Vec<Ticket>), RunError> {
    let started = began(ports).await?;
    let greeting = greet(ports, order).await?;
    let platform_version = greeting.platform.version.clone();
    ports.progress.on(&Event::Connected {
        platform_version: platform_version.clone(),
    });
    let checkpoint = ports.journal.checkpoint();
    let resumed = Resumed::of(sink, &checkpoint);
    let json = Json::after(&resumed);
    let fetch = Fetch {
        ports,
        sink: Some(sink),
        order,
        resumed: &resumed,
        json: &json,
    };
    let mut ledger = Ledger::default();
    let documents = survey_first(fetch, &mut ledger, &greeting).await?;
    check_selection(order, &ledger)?;
    let plan = Plan::of(order, &ledger, platform_version);
    let foreign = tickets::before_first_start(ports, order, &checkpoint).await?;
    record_superfluous_starts(ports, &checkpoint, &resumed).await?;
    let drive_with = Drive {
        ports,
        sink,
        order,
        foreign_tickets: &foreign,
        times: known.times,
    };
    let delete_after_finish = execute(
        &plan,
        drive_with,
        (fetch, known.since),
        &mut ledger,
        documents,
        &checkpoint,
    )
    .await?;
    let recorded = ports.journal.checkpoint();
    ledger.notes.extend(recorded.unresolved);
    ledger.notes.extend(recorded.not_reused.into_values());
    ledger.notes.extend(json.notes(order));
    ledger.adopt_unclaimed(resumed.receipts.values());
    let report = report(order, ledger, started, ports, plan.platform_version);
    Ok((report, delete_after_finish))
}

/// Executes a plan: its items' archives, its documents, and the lists that it has not read yet. The tickets whose bytes are
/// durable only once the bag is finished.
async fn execute(
    plan: &Plan,
    drive_with: Drive<'_>,
    (fetch, since): (Fetch<'_>, Option<Since<'_>>),
    ledger: &mut Ledger,
    documents: Vec<Task>,
    checkpoint: &JournalState,
) -> Result<Vec<Ticket>, RunError> {
    let (ports, order) = (drive_with.ports, drive_with.order);
    let (mut work, mut places) = prepare_items(drive_with, plan, ledger, fetch.resumed, checkpoint);
    let items = work.len() as u64;
    let (mut reused, documents) = Reused::take_from(
        since,
        (fetch, ledger),
        documents,
        checkpoint,
        (&mut work, &mut places),
    )
    .await?;
    warn_of_space(drive_with, hinted_bytes(plan, &work));
    ports.progress.on(&Event::Planned {
        items,
        documents: documents.len() as u64,
    });
    let rest = plan.unread_sections().map(Task::of_section);
    let tasks = documents.into_iter().chain(rest).collect();
    try_join3(
        drive(drive_with, &mut work),
        survey(fetch, ledger, tasks),
        reused.copy(drive_with, since),
    )
    .await?;
    reused
        .export_rest(drive_with, &mut work, &mut places)
        .await?;
    let mut delete_after_finish = enter_items(ledger, &mut work, &places);
    for (item, place) in work.iter().zip(&places) {
        fetch_parts(fetch, ledger, &item.machine, *place).await?;
    }
    let mut items: BTreeMap<ItemRef, u32> = work
        .iter()
        .map(|item| (item.machine.item(), item.machine.lost_starts()))
        .collect();
    drop(work);
    let left = tickets::sweep(ports, order, drive_with.foreign_tickets, &items).await?;
    ledger.failures.extend(left);
    let again = recount_and_refetch(drive_with, fetch, ledger).await?;
    delete_after_finish.extend(again.delete_after_finish);
    if !again.lost_starts.is_empty() {
        for (item, lost) in again.lost_starts {
            *items.entry(item).or_default() += lost;
        }
        let left = tickets::sweep(ports, order, drive_with.foreign_tickets, &items).await?;
        ledger.failures.extend(left);
    }
    Ok(delete_after_finish)
}

async fn began(ports: Ports<'_>) -> Result<Timestamp, RunError> {
    if let Some(began) = ports.journal.checkpoint().began {
        return Ok(began);
    }
    let at = ports.clock.now();
    ports.journal.record(Fact::Began { at }).await?;
    Ok(at)
}

/// What must be known before the first export is asked for: the items, and the tickets that are open on the platform. The lists
/// of all other sections are read while the platform works on the exports, which takes most of a run's time.
const FIRST: [Section; 5] = [
    Section::Profile,
    Section::Appliances,
    Section::MySoftware,
    Section::CloudAccounts,
    Section::Exports,
];

/// Reads the first lists. The tasks that follow from them.
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

/// Starts that nobody will look for, because the run has another ticket or the archive of the same item.
async fn record_superfluous_starts(
    ports: Ports<'_>,
    checkpoint: &JournalState,
    resumed: &Resumed,
) -> Result<(), RunError> {
    let has_more = |item: ItemRef| {
        let mut tickets = checkpoint.open.iter();
        let mut receipts = resumed.receipts.values();
        tickets.any(|ticket| ticket.item == item)
            || receipts.any(|receipt| receipt.origin.item == Some(item))
    };
    Ok(tickets::record_superfluous(ports.journal, has_more).await?)
}

/// What the platform says of the sizes of the software that is not in the bag yet. It counts packages that an archive does not
/// hold (`docs/platform.md`), so it is a hint: it may be a thousand times what arrives.
fn hinted_bytes(plan: &Plan, work: &[ItemWork]) -> Option<u64> {
    let missing = work.iter().filter(|work| work.machine.receipt().is_none());
    let missing: BTreeSet<ItemRef> = missing.map(|work| work.machine.item()).collect();
    let sizes = plan
        .items
        .iter()
        .filter(|planned| planned.item.kind == ItemKind::MySoftware)
        .filter(|planned| missing.contains(&planned.item))
        .filter_map(|planned| planned.size);
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

fn report(
    order: &Order,
    mut ledger: Ledger,
    started: Timestamp,
    ports: Ports<'_>,
    platform_version: Option<String>,
) -> Report {
    let sections = ledger.section_reports(order);
    let refused = sections.iter().any(|section| {
        section.status == SectionStatus::Unavailable
            && (section.section.is_core() || order.strictness == Strictness::EverySection)
    });
    let is_missing = ledger
        .failures
        .iter()
        .any(|failure| failure.stage != Stage::Delete)
        || sections
            .iter()
            .any(|section| section.status == SectionStatus::Partial);
    let items = ledger.take_item_reports(order);
    Report {
        tool_version: order.tool_version.clone(),
        source: order.source.clone(),
        platform_version,
        user: order.user.clone(),
        output_format: order.output_format,
        started,
        finished: ports.clock.now(),
        completeness: if refused || is_missing {
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
