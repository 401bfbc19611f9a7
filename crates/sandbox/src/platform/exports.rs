//! The calls of the export workflow: start, look, download, cancel, delete.

use std::time::Duration;

use domain::model::OutputFormat;

use crate::archive::Archive;
use crate::document::Element;
use crate::scenario::{ItemFault, ItemKind};

use super::calls::{
    Answer, ArchiveAnswer, Call, Result, document, id, item_at, kind_of, list, paged, validator,
};
use super::collections::Collection;
use super::items::Item;
use super::refusal::Refusal;
use super::state::{Shared, State};
use super::ticket_documents::{status, ticket_document, uri};
use super::tickets::{Order, Phase, Plan, PlannedEnd, Ticket};

/// Answers a call of the export workflow, or `None` where it is something else.
pub(super) fn answer(
    shared: &Shared,
    state: &mut State,
    call: &Call<'_>,
    (place, path): (usize, &[&str]),
) -> Option<Result<Answer>> {
    let elapsed = shared.clock.elapsed();
    state.tickets.settle(elapsed);
    let owner = state.residents[place].person.login.clone();
    let answer = match (call.method, path) {
        ("POST", [collection, item, "exports"]) => {
            start(shared, state, call, (place, collection, item))
        }
        ("GET", ["exports"]) => all_of(shared, state, call, &owner),
        ("GET", ["exports", "statuses"]) => Ok(statuses(shared, state, call, &owner)),
        (method, [collection, item, "exports", ticket, rest @ ..]) => {
            let at = match find(state, &owner, (collection, item, ticket)) {
                Ok(at) => at,
                Err(refusal) => return Some(Err(refusal)),
            };
            one(shared, state, (method, rest), at)
        }
        _ => return None,
    };
    Some(answer)
}

fn find(state: &State, owner: &str, (collection, item, ticket): (&str, &str, &str)) -> Result<i64> {
    let missing = || Refusal::not_found("such export");
    let kind = kind_of(collection).ok_or_else(missing)?;
    let wanted = id(ticket)?;
    let found = state
        .tickets
        .of_item(owner, kind, id(item)?)
        .find(|ticket| ticket.id == wanted);
    found.map(|ticket| ticket.id).ok_or_else(missing)
}

fn one(shared: &Shared, state: &mut State, call: (&str, &[&str]), ticket: i64) -> Result<Answer> {
    let elapsed = shared.clock.elapsed();
    let missing = || Refusal::not_found("such export");
    let (kind, phase) = {
        let ticket = state.tickets.get_mut(ticket).ok_or_else(missing)?;
        (ticket.order.kind, ticket.phase(elapsed))
    };
    match (call, kind) {
        (("GET", ["status"]), _) => Ok(document(status(
            state.tickets.get_mut(ticket).ok_or_else(missing)?,
            elapsed,
        ))),
        (("GET", ["downloads"]), _) => download(shared, state, ticket, phase),
        (("DELETE", []), _) => {
            state.tickets.delete(ticket, elapsed);
            Ok(Answer::Nothing)
        }
        (("GET", []), ItemKind::Appliance) => Ok(document(ticket_document(
            state.tickets.get_mut(ticket).ok_or_else(missing)?,
            elapsed,
        ))),
        (("DELETE", ["status"]), ItemKind::Appliance) if phase.is_over() => {
            Err(Refusal::conflict("The export has ended already"))
        }
        (("DELETE", ["status"]), ItemKind::Appliance) => {
            state.tickets.cancel(ticket, elapsed);
            Ok(document(status(
                state.tickets.get_mut(ticket).ok_or_else(missing)?,
                elapsed,
            )))
        }
        _ => Err(missing()),
    }
}

fn start(
    shared: &Shared,
    state: &mut State,
    call: &Call<'_>,
    (place, collection, item): (usize, &str, &str),
) -> Result<Answer> {
    let resident = &state.residents[place];
    let item = item_at(resident, collection, item)?.clone();
    if item.kind == ItemKind::Account {
        return Err(Refusal::not_found("such resource"));
    }
    let format = match call.query.first("outputFormat") {
        None | Some("yaml") => OutputFormat::Yaml,
        Some("json") => OutputFormat::Json,
        Some(_) => return Err(Refusal::of_status(400, None)),
    };
    let faults = shared.scenario.item_faults(item.kind, item.id);
    let owner = resident.person.login.clone();
    let history = state
        .history
        .entry((owner.clone(), item.kind, item.id))
        .or_default();
    let nth = history.take_on(faults)?;
    let plan = plan(shared, &item, faults, nth);
    let archive = item
        .archive(&shared.scenario, format)
        .map_err(|_| Refusal::new(500, "error.internal", "The archive cannot be made"))?;
    let order = order(&owner, &item, archive, plan);
    let elapsed = shared.clock.elapsed();
    let ticket = state.tickets.ask(order, elapsed, shared.clock.now());
    Ok(Answer::Document {
        status: 201,
        root: ticket_document(ticket, elapsed),
    })
}

/// Exports that somebody else's client asked for, which nobody but them may delete.
pub(super) fn leave_foreign_tickets(shared: &mut Shared) {
    let created = shared.clock.now();
    let state = shared
        .state
        .get_mut()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some((user, item)) = state
        .residents
        .first()
        .and_then(|user| Some((user, user.items(ItemKind::Appliance).first()?.clone())))
    else {
        return;
    };
    let owner = user.person.login.clone();
    for _ in 0..shared.scenario.data.foreign_tickets {
        let Ok(archive) = item.archive(&shared.scenario, OutputFormat::Yaml) else {
            return;
        };
        let plan = Plan {
            takes: Duration::ZERO,
            end: PlannedEnd::Archive,
            shown: None,
        };
        let mut order = order(&owner, &item, archive, plan);
        order.foreign = true;
        state.tickets.ask(order, Duration::ZERO, created);
    }
}

fn order(owner: &str, item: &Item, archive: Archive, plan: Plan) -> Order {
    Order {
        owner: owner.to_owned(),
        kind: item.kind,
        item: item.id,
        name: item.name.clone(),
        version: item.version.clone(),
        seed: item.seed,
        archive,
        foreign: false,
        plan,
    }
}

fn plan(shared: &Shared, item: &Item, faults: &[ItemFault], nth: u32) -> Plan {
    let scenario = &shared.scenario;
    let own_time = scenario
        .item(item.kind, item.id)
        .and_then(|item| item.export_millis);
    let takes = Duration::from_millis(own_time.unwrap_or(scenario.timing.export_millis));
    let mut plan = Plan {
        takes,
        end: PlannedEnd::Archive,
        shown: None,
    };
    for fault in faults {
        match fault {
            ItemFault::Ends { how, times } if times.cover(nth) => {
                plan.end = PlannedEnd::Failure(*how);
            }
            ItemFault::NeverCompletes { times } if times.cover(nth) => plan.end = PlannedEnd::Never,
            ItemFault::Shows(shown) => plan.shown = Some(*shown),
            _ => {}
        }
    }
    plan
}

fn download(shared: &Shared, state: &mut State, ticket: i64, phase: Phase) -> Result<Answer> {
    let ticket = state
        .tickets
        .get_mut(ticket)
        .ok_or_else(|| Refusal::not_found("such export"))?;
    if phase != Phase::Complete {
        return Err(Refusal::new(
            400,
            "error.export.not.ready",
            "The export is not complete",
        ));
    }
    let order = &ticket.order;
    let faults = shared.scenario.item_faults(order.kind, order.item);
    if ticket.downloads > 0
        && faults
            .iter()
            .any(|fault| matches!(fault, ItemFault::SingleDownload))
    {
        return Err(Refusal::not_found(
            "such archive: it was downloaded already",
        ));
    }
    let history = state
        .history
        .entry((order.owner.clone(), order.kind, order.item))
        .or_default();
    history.downloads += 1;
    let damage = faults.iter().find_map(|fault| match fault {
        ItemFault::Archive { damage, times } if times.cover(history.downloads) => Some(*damage),
        _ => None,
    });
    let answer = ArchiveAnswer {
        archive: order.archive.clone(),
        file_name: format!(
            "{}-{}.tar.gz",
            if order.kind == ItemKind::Appliance {
                "appliance"
            } else {
                "mysoftware"
            },
            order.item
        ),
        etag: validator(shared, order.seed, order.archive.bytes()),
        damage,
    };
    ticket.downloads += 1;
    Ok(Answer::Archive(answer))
}

fn all_of(shared: &Shared, state: &State, call: &Call<'_>, owner: &str) -> Result<Answer> {
    let collection =
        Collection::at("exports").ok_or_else(|| Refusal::not_found("such resource"))?;
    let elapsed = shared.clock.elapsed();
    let theirs = state
        .tickets
        .iter()
        .filter(|ticket| ticket.order.owner == owner && ticket.order.kind == ItemKind::Appliance);
    let make = |ticket| ticket_document(ticket, elapsed);
    Ok(document(paged(
        shared,
        collection,
        (theirs.collect(), make),
        call.query,
    )))
}

/// The statuses of the exports that `ae` names, as far as there are any.
fn statuses(shared: &Shared, state: &State, call: &Call<'_>, owner: &str) -> Answer {
    let elapsed = shared.clock.elapsed();
    let asked: Vec<&str> = call.query.all("ae").collect();
    let wanted = |ticket: &&Ticket| {
        let order = &ticket.order;
        order.owner == owner
            && order.kind == ItemKind::Appliance
            && (asked.is_empty() || asked.contains(&uri(ticket).as_str()))
    };
    let entries: Vec<Element> = state
        .tickets
        .iter()
        .filter(wanted)
        .map(|ticket| status(ticket, elapsed))
        .collect();
    let total = entries.len();
    document(list("statuses", "statuses", "status", entries, Some(total)))
}
