//! The calls of the import workflow: ticket, upload, look, result, delete.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::archive::{Archive, Described, described, mix};
use crate::document::Element;
use crate::hexadecimal::hexadecimal;
use crate::scenario::{Ending, ImportFault, ItemKind};

use super::calls::{Answer, Call, Result, document, id, list, paged};
use super::collections::Collection;
use super::data::encoded;
use super::import_documents::{status, ticket_document, uri};
use super::import_tickets::{ImportJob, Options, Stage};
use super::items::{Imported, Item};
use super::query::Query;
use super::refusal::Refusal;
use super::state::{Shared, State};

/// Answers a call of the import workflow, or `None` where it is something else.
pub(super) fn answer(
    shared: &Shared,
    state: &mut State,
    call: &Call<'_>,
    (place, path): (usize, &[&str]),
) -> Option<Result<Answer>> {
    let elapsed = shared.clock.elapsed();
    settle(shared, state, elapsed);
    let owner = state.residents[place].person.login.clone();
    let kind = match path.first() {
        Some(&"imports") => ItemKind::Appliance,
        Some(&"bundleimports") => ItemKind::Software,
        _ => return None,
    };
    match (call.method, path) {
        ("POST", [_]) => Some(Ok(open(shared, state, call.query, (&owner, kind)))),
        ("GET", ["imports"]) => Some(all_of(shared, state, call, place)),
        ("GET", ["imports", "statuses"]) => Some(Ok(statuses(shared, state, call, &owner))),
        (method, [_, ticket, rest @ ..]) => {
            let wanted = id(ticket).ok()?;
            let job = state.imports.get_mut(wanted);
            let is_theirs = |job: &mut ImportJob| job.owner == owner && job.kind == kind;
            if !job.is_some_and(is_theirs) {
                // Other numbers are of the demo's finished imports, which can be read.
                return (method != "GET").then(|| Err(Refusal::not_found("such import")));
            }
            Some(one(shared, state, call, (method, rest, wanted)))
        }
        _ => None,
    }
}

/// `True` is what the official client writes.
fn is_set(query: &Query, name: &str) -> bool {
    query
        .first(name)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn takes(shared: &Shared) -> Duration {
    Duration::from_millis(shared.scenario.timing.import_millis)
}

fn open(
    shared: &Shared,
    state: &mut State,
    query: &Query,
    (owner, kind): (&str, ItemKind),
) -> Answer {
    let options = Options::of(|name| is_set(query, name));
    let job = state.imports.open(owner, kind, options, shared.clock.now());
    Answer::Document {
        status: 201,
        root: ticket_document(job, takes(shared), shared.clock.elapsed()),
    }
}

fn one(
    shared: &Shared,
    state: &mut State,
    call: &Call<'_>,
    (method, rest, ticket): (&str, &[&str], i64),
) -> Result<Answer> {
    let (takes, elapsed) = (takes(shared), shared.clock.elapsed());
    let missing = || Refusal::not_found("such import");
    match (method, rest) {
        ("POST", ["uploads"]) => {
            let body = call.body.cloned().unwrap_or_default();
            upload(state, ticket, body, elapsed)?;
            settle(shared, state, elapsed);
            let job = state.imports.get_mut(ticket).ok_or_else(missing)?;
            Ok(document(status(job, takes, elapsed)))
        }
        ("GET", ["status"]) => {
            let job = state.imports.get_mut(ticket).ok_or_else(missing)?;
            Ok(document(status(job, takes, elapsed)))
        }
        ("GET", []) => {
            let job = state.imports.get_mut(ticket).ok_or_else(missing)?;
            Ok(document(ticket_document(job, takes, elapsed)))
        }
        ("DELETE", []) => {
            let kind = state.imports.get_mut(ticket).map(|job| job.kind);
            if kind == Some(ItemKind::Software) {
                let words = "Tickets of software cannot be deleted";
                return Err(Refusal::new(405, "error.method", words));
            }
            state.imports.delete(ticket);
            Ok(Answer::Nothing)
        }
        _ => Err(missing()),
    }
}

fn upload(state: &mut State, ticket: i64, body: Bytes, elapsed: Duration) -> Result<()> {
    let sum = hexadecimal(&Sha256::digest(&body));
    let job = state.imports.get_mut(ticket);
    let job = job.ok_or_else(|| Refusal::not_found("such import"))?;
    if !matches!(job.stage, Stage::Empty) {
        return Err(Refusal::conflict("The archive has been uploaded already"));
    }
    if body.is_empty() {
        return Err(Refusal::of_status(400, None));
    }
    job.stage = Stage::Uploaded {
        archive: body,
        at: elapsed,
    };
    state.imports.uploaded.push(sum);
    Ok(())
}

/// Ends every import whose time has come, each at its own moment.
pub(super) fn settle(shared: &Shared, state: &mut State, elapsed: Duration) {
    while let Some((ticket, end)) = state.imports.due(takes(shared), elapsed) {
        let Some(job) = state.imports.get_mut(ticket) else {
            return;
        };
        let Stage::Uploaded { archive, .. } = std::mem::replace(&mut job.stage, Stage::Empty)
        else {
            return;
        };
        let whose = (job.owner.clone(), job.kind, job.options.clone());
        let ended = ended(shared, state, &whose, archive);
        if let Some(job) = state.imports.get_mut(ticket) {
            (job.stage, job.reference) = (ended.stage, ended.reference);
        }
        if ended.vanishes {
            state.imports.delete(ticket);
        }
        state.imports.busy_until.insert(whose.0, end);
    }
}

/// What an import came to.
struct Ended {
    stage: Stage,
    reference: Option<String>,
    vanishes: bool,
}

fn ended(
    shared: &Shared,
    state: &mut State,
    (owner, kind, options): &(String, ItemKind, Options),
    archive: Bytes,
) -> Ended {
    let bytes = archive.len() as u64;
    let found = match described(&archive, *kind) {
        Ok(found) => found,
        Err(words) => return Ended::failed(Ending::Error, words, bytes),
    };
    let faults = due_faults(shared, state, (owner, *kind), &found);
    let has = |is_it: fn(&ImportFault) -> bool| faults.iter().any(is_it);
    if has(|fault| matches!(fault, ImportFault::NeverCompletes { .. })) {
        return Ended {
            stage: Stage::Stuck { bytes },
            reference: None,
            vanishes: false,
        };
    }
    if let Some(how) = faults.iter().find_map(failure) {
        return Ended::failed(how, "The import failed: no space left".to_owned(), bytes);
    }
    match make(shared, state, (owner, *kind, options), (found, archive)) {
        Err(words) => Ended::failed(Ending::Error, words, bytes),
        Ok(object) => {
            let list = if *kind == ItemKind::Software {
                "mysoftware"
            } else {
                "appliances"
            };
            let own = format!("users/{}/{list}/{object}", encoded(owner));
            let other = faults.iter().find_map(|fault| match fault {
                ImportFault::Reference { uri } => Some(uri.clone()),
                _ => None,
            });
            Ended {
                stage: Stage::Made { object, bytes },
                reference: Some(other.unwrap_or(own)),
                vanishes: has(|fault| matches!(fault, ImportFault::TicketVanishes { .. })),
            }
        }
    }
}

impl Ended {
    fn failed(how: Ending, words: String, bytes: u64) -> Self {
        Self {
            stage: Stage::Failed { how, words, bytes },
            reference: None,
            vanishes: false,
        }
    }
}

/// How an import ends that makes nothing.
fn failure(fault: &ImportFault) -> Option<Ending> {
    match fault {
        ImportFault::Ends { how, .. } => Some(*how),
        ImportFault::NeverCompletes { .. }
        | ImportFault::Reference { .. }
        | ImportFault::TicketVanishes { .. } => None,
    }
}

/// What goes wrong with this import.
fn due_faults(
    shared: &Shared,
    state: &mut State,
    (owner, kind): (&str, ItemKind),
    found: &Described,
) -> Vec<ImportFault> {
    let key = (owner.to_owned(), kind, found.name.clone());
    let count = state.imports.counts.entry(key).or_default();
    *count += 1;
    let is_due = |fault: &&ImportFault| match fault {
        ImportFault::Ends { times, .. }
        | ImportFault::NeverCompletes { times }
        | ImportFault::TicketVanishes { times } => times.cover(*count),
        ImportFault::Reference { .. } => true,
    };
    let scenarios = shared.scenario.imports.iter().filter(|scenario| {
        let name = scenario.name.as_ref();
        scenario.kind == kind && name.is_none_or(|name| *name == found.name)
    });
    scenarios
        .flat_map(|scenario| &scenario.faults)
        .filter(is_due)
        .cloned()
        .collect()
}

/// Makes the object, or says why it cannot be made.
fn make(
    shared: &Shared,
    state: &mut State,
    (owner, kind, options): (&str, ItemKind, &Options),
    (found, archive): (Described, Bytes),
) -> std::result::Result<i64, String> {
    let nobody = || "There is no such user".to_owned();
    let place = state.residents.place(owner).ok_or_else(nobody)?;
    let resident = &mut state.residents[place];
    let (seed, now) = (resident.seed, shared.clock.now());
    let imported = Imported {
        archive: Archive::of_bytes(archive),
        is_tagged: options.has("imported"),
    };
    let items = resident.items_mut(kind);
    let there = items
        .iter_mut()
        .find(|item| item.name == found.name && item.version == found.version);
    if let Some(there) = there {
        if !(options.has("force") && kind == ItemKind::Appliance) {
            let what = if kind == ItemKind::Software {
                "A software component"
            } else {
                "An appliance"
            };
            let words = format!(
                "{what} with the name {} and the version {} already exists",
                found.name, found.version
            );
            return Err(words);
        }
        there.edit(now);
        there.imported = Some(imported);
        return Ok(there.id);
    }
    let first = items.first().map_or(900, |item| item.id);
    let id = items.iter().map(|item| item.id).max().unwrap_or(first) + 1;
    let mut item = Item::new(&shared.scenario, kind, id, items.len(), mix(seed));
    (item.name, item.version) = (found.name, found.version);
    (item.created, item.last_modified) = (now, now);
    item.imported = Some(imported);
    items.push(item);
    Ok(id)
}

/// The demo's finished imports, and those that were asked for.
fn all_of(shared: &Shared, state: &State, call: &Call<'_>, place: usize) -> Result<Answer> {
    let missing = || Refusal::not_found("such resource");
    let collection = Collection::at("imports").ok_or_else(missing)?;
    let resident = &state.residents[place];
    let (takes, elapsed) = (takes(shared), shared.clock.elapsed());
    let mut entries = resident.entries("imports").unwrap_or_default();
    let theirs = state
        .imports
        .iter()
        .filter(|job| job.owner == resident.person.login && job.kind == ItemKind::Appliance);
    entries.extend(theirs.map(|job| ticket_document(job, takes, elapsed)));
    Ok(document(paged(
        shared,
        collection,
        (entries, |entry| entry),
        call.query,
    )))
}

/// The statuses of the imports that `ai` names, as far as there are any.
fn statuses(shared: &Shared, state: &State, call: &Call<'_>, owner: &str) -> Answer {
    let (takes, elapsed) = (takes(shared), shared.clock.elapsed());
    let asked: Vec<&str> = call.query.all("ai").collect();
    let jobs = state.imports.iter().filter(|job| {
        job.owner == owner
            && job.kind == ItemKind::Appliance
            && (asked.is_empty() || asked.contains(&uri(job).as_str()))
    });
    let entries: Vec<Element> = jobs.map(|job| status(job, takes, elapsed)).collect();
    let total = entries.len();
    document(list("statuses", "statuses", "status", entries, Some(total)))
}
