//! Every resource that can be read, and what a request for it gets.

use crate::document::{Element, flag, number, text};
use crate::scenario::{ItemFault, ItemKind};

use super::access;
use super::calls::{Answer, Call, Result, document, id, item_at, kind_of, list, paged};
use super::collections::Collection;
use super::data::{self, Part, Secrets};
use super::items::Item;
use super::people::{Caller, Resident};
use super::picture::Picture;
use super::query::{Query, page};
use super::refusal::Refusal;
use super::state::{Shared, State};

/// Executes a call.
pub(crate) fn answer(shared: &Shared, state: &mut State, call: &Call<'_>) -> Result<Answer> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    if path == ["status"] {
        return Ok(document(service_status(shared)));
    }
    let caller = call.caller.ok_or_else(Refusal::unauthorized)?;
    match path.as_slice() {
        ["users"] if caller.administrator => {
            let residents = state.residents.iter().collect();
            let make = |resident: &Resident| data::user(&resident.owner());
            let limits = (super::query::Paging::CountAndOffset, call.query);
            let cap = shared.scenario.lists.page_cap;
            let (users, total) = page(residents, make, limits, cap);
            Ok(document(list("users", "users", "user", users, Some(total))))
        }
        ["orgs", "2", "members"] if caller.administrator => {
            let residents = state.residents.iter();
            let members = residents.map(|resident| data::user(&resident.owner()));
            let members = members.collect();
            Ok(document(list("users", "users", "user", members, None)))
        }
        ["orgs", "2", "members"] => Err(Refusal::forbidden("administrate the organization")),
        ["users"] => Err(Refusal::forbidden("administrate users")),
        ["users", login, rest @ ..] => {
            if caller.login != *login && !caller.administrator {
                return Err(Refusal::forbidden("see this user"));
            }
            let place = state.residents.place(login);
            below_user(
                shared,
                state,
                call,
                (place.ok_or_else(|| Refusal::not_found("such user"))?, rest),
            )
        }
        ["orgs", "2", "workspaces", workspace, rest @ ..] if call.method == "GET" => {
            workspace_resource(shared, state, call, caller, (id(workspace)?, rest))
        }
        _ => Err(Refusal::not_found("such resource")),
    }
}

fn service_status(shared: &Shared) -> Element {
    let version = shared.scenario.platform_version.as_str();
    Element::object(
        "serviceStatus",
        vec![
            flag("alive", true),
            text("version", version),
            number("serviceLoad", 12),
        ],
    )
}

fn below_user(
    shared: &Shared,
    state: &mut State,
    call: &Call<'_>,
    (place, path): (usize, &[&str]),
) -> Result<Answer> {
    access::check(&shared.scenario.access, path)?;
    let tickets = super::exports::answer(shared, state, call, (place, path));
    if let Some(answer) = tickets {
        return answer;
    }
    if let Some(answer) = super::imports::answer(shared, state, call, (place, path)) {
        return answer;
    }
    let resident = &state.residents[place];
    if call.method != "GET" && call.method != "HEAD" {
        return Err(Refusal::new(
            405,
            "error.method",
            "This resource cannot be changed here",
        ));
    }
    match path {
        [] => Ok(document(data::user(&resident.owner()))),
        ["photo", photo] | ["photo", photo, _] if id(photo)? == data::PHOTO_ID => {
            Ok(png(data::photo(&resident.owner())))
        }
        [collection, item, "logo", logo] | [collection, item, "logo", logo, _] => {
            let item = item_at(resident, collection, item)?;
            let logo = id(logo)?;
            let file = item.logo().filter(|_| item.logo_id() == Some(logo));
            file.map(png).ok_or_else(|| Refusal::not_found("such logo"))
        }
        ["accounts", account, "certs", wanted] => certificate(resident, account, wanted),
        [collection, item] if kind_of(collection).is_some() => {
            let item = item_at(resident, collection, item)?;
            Ok(document(item_document(shared, resident, item)))
        }
        [collection, item, part @ ..] if part_kind(collection).is_some() => {
            let item = item_at(resident, collection, item)?;
            below_item(shared, resident, item, (part, call.query))
        }
        [collection] => Ok(document(whole_list(
            shared, resident, collection, call.query,
        )?)),
        [collection, entry] => Ok(document(single(resident, collection, entry)?)),
        _ => Err(Refusal::not_found("such resource")),
    }
}

/// The kind of the items of a collection, where they have parts.
fn part_kind(collection: &str) -> Option<ItemKind> {
    kind_of(collection).filter(|kind| *kind != ItemKind::Account)
}

/// What lies below an appliance or a bundle.
fn below_item(
    shared: &Shared,
    resident: &Resident,
    item: &Item,
    (path, query): (&[&str], &Query),
) -> Result<Answer> {
    let owner = resident.owner();
    let part = match item.kind {
        ItemKind::Appliance => {
            let bundles = resident.items(ItemKind::Software).iter().take(1);
            let bundles = bundles.map(|bundle| item_document(shared, resident, bundle));
            data::appliance_part(&owner, item, path, bundles.collect())
        }
        ItemKind::Software => data::bundle_part(&owner, item, path),
        ItemKind::Account => None,
    };
    match part.ok_or_else(|| Refusal::not_found("such resource"))? {
        Part::Object(root) => Ok(document(root)),
        Part::File(bytes, media_type) => Ok(Answer::Binary {
            bytes: bytes.into(),
            media_type,
        }),
        Part::List(root, item, entries) => {
            let limits = (super::query::Paging::CountAndOffset, query);
            let cap = shared.scenario.lists.page_cap;
            let (entries, total) = page(entries, |entry| entry, limits, cap);
            Ok(document(list(root, root, item, entries, Some(total))))
        }
    }
}

fn png(picture: &Picture) -> Answer {
    Answer::Binary {
        bytes: picture.bytes.clone(),
        media_type: "image/png",
    }
}

fn certificate(resident: &Resident, account: &str, certificate: &str) -> Result<Answer> {
    let account = item_at(resident, "accounts", account)?;
    let wanted = id(certificate)?;
    if !data::certificate_ids(account).contains(&wanted) {
        return Err(Refusal::not_found("such certificate"));
    }
    let bytes = data::certificate_file(account, wanted).into();
    Ok(Answer::Binary {
        bytes,
        media_type: "application/octet-stream",
    })
}

fn whole_list(shared: &Shared, resident: &Resident, path: &str, query: &Query) -> Result<Element> {
    let collection = Collection::at(path).ok_or_else(|| Refusal::not_found("such resource"))?;
    if let Some(kind) = kind_of(path) {
        let items = resident.items(kind).iter().collect();
        let make = |item| item_document(shared, resident, item);
        return Ok(paged(shared, collection, (items, make), query));
    }
    let entries = resident
        .entries(path)
        .ok_or_else(|| Refusal::not_found("such resource"))?;
    Ok(paged(shared, collection, (entries, |entry| entry), query))
}

fn single(resident: &Resident, path: &str, wanted: &str) -> Result<Element> {
    let collection = Collection::at(path).ok_or_else(|| Refusal::not_found("such resource"))?;
    let mut entries = resident.entries(path).unwrap_or_default();
    let place = entries.iter().position(|entry| {
        ["dbId", "applicationId"]
            .iter()
            .any(|field| entry.child(field).and_then(Element::value).as_deref() == Some(wanted))
    });
    place
        .map(|place| entries.swap_remove(place).named(collection.item))
        .ok_or_else(|| Refusal::not_found("such entry"))
}

fn item_document(shared: &Shared, resident: &Resident, item: &Item) -> Element {
    match item.kind {
        ItemKind::Appliance => data::appliance(&resident.owner(), item),
        ItemKind::Software => data::my_software(&resident.owner(), item),
        ItemKind::Account => {
            let faults = shared.scenario.item_faults(ItemKind::Account, item.id);
            let missing = faults
                .iter()
                .any(|fault| matches!(fault, ItemFault::SecretsMissing));
            data::account(
                &resident.owner(),
                item,
                if missing {
                    Secrets::Missing
                } else {
                    Secrets::Present
                },
            )
        }
    }
}

fn workspace_resource(
    shared: &Shared,
    state: &State,
    call: &Call<'_>,
    caller: &Caller,
    (workspace, path): (i64, &[&str]),
) -> Result<Answer> {
    let owns = |resident: &&Resident| data::has_workspace(&resident.owner(), workspace);
    let resident = state
        .residents
        .iter()
        .find(owns)
        .ok_or_else(|| Refusal::not_found("such workspace"))?;
    if resident.person.login != caller.login && !caller.administrator {
        return Err(Refusal::forbidden("see this workspace"));
    }
    let owner = resident.owner();
    let base = format!("orgs/2/workspaces/{workspace}");
    let (root, item, entries) = match path {
        ["comments"] => (
            "comments",
            "comment",
            data::comments(&owner, &format!("{base}/comments"), workspace),
        ),
        ["templates"] => (
            "galleryTemplates",
            "galleryTemplate",
            data::templates(&owner, workspace),
        ),
        ["templates", template, "comments"] => {
            let comments = data::comments(
                &owner,
                &format!("{base}/templates/{template}/comments"),
                id(template)?,
            );
            ("comments", "comment", comments)
        }
        _ => return Err(Refusal::not_found("such resource")),
    };
    let cap = shared.scenario.lists.page_cap;
    let limits = (super::query::Paging::CountAndOffset, call.query);
    let (entries, total) = page(entries, |entry| entry, limits, cap);
    Ok(document(list(root, root, item, entries, Some(total))))
}
