//! The actions of items, each as a future that ends with what was seen.

use futures_util::future::BoxFuture;

use super::context::{ImportError, Importing};
use super::found::{Identity, id_of};
use super::item::{Action, Item, Live, Seen};
use super::reference::named_by;
use super::{lists, tickets, upload};
use crate::model::{ImportTicket, ItemRef};
use crate::ports::{ImportFact, ListedArchive};
use crate::workflow::item::start_may_have_worked;

/// An item under way.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) machine: Item,
    pub(super) identity: Identity,
    pub(super) archive: ListedArchive,
    /// What distinguishes the object that it takes the place of.
    pub(super) replaces: Option<String>,
}

impl Work {
    /// Its name for people.
    pub(super) fn name(&self) -> String {
        self.identity.name.clone().unwrap_or_default()
    }
}

/// What an action came to: of which item, and what was seen.
pub(super) type Step<'a> = BoxFuture<'a, Result<(usize, Seen), ImportError>>;

/// Sets an action going. `None` for those that are none.
pub(super) fn perform<'a>(
    importing: Importing<'a>,
    index: usize,
    work: &Work,
    action: Action,
) -> Option<Step<'a>> {
    let item = work.machine.item();
    match action {
        Action::Open => Some(seen(index, open(importing, item))),
        Action::Find => {
            let lost = work.machine.lost().max(1);
            Some(seen(index, tickets::find(importing, item, lost)))
        }
        Action::Upload(ticket) => {
            let (archive, replaces) = (work.archive.clone(), work.replaces.clone());
            Some(seen(index, async move {
                upload::upload(importing, item, ticket, &archive, replaces).await
            }))
        }
        Action::Poll(ticket) => Some(seen(index, async move {
            Ok(match importing.with.imports.import_status(ticket).await {
                Ok(status) => Seen::Status(status),
                Err(error) => Seen::StatusFailed(error),
            })
        })),
        Action::Read(ticket) => Some(seen(index, read(importing, ticket))),
        Action::LookUp => {
            let (identity, replaces) = (work.identity.clone(), work.replaces.clone());
            Some(seen(index, look_up(importing, item, identity, replaces)))
        }
        Action::Delete(ticket) => Some(seen(index, delete(importing, ticket))),
        Action::WaitUntil(_) | Action::Busy | Action::Finished => None,
    }
}

fn seen<'a>(
    index: usize,
    step: impl Future<Output = Result<Seen, ImportError>> + Send + 'a,
) -> Step<'a> {
    Box::pin(async move { Ok((index, step.await?)) })
}

/// The intent is recorded before the request leaves: a run that is killed in between knows that it may have a ticket to look for.
async fn open(importing: Importing<'_>, item: ItemRef) -> Result<Seen, ImportError> {
    let Importing { with, order } = importing;
    let at = Some(with.ports.clock.now());
    with.journal.record(ImportFact::Intent { item, at }).await?;
    match with.imports.open_import(item.kind, order.options()).await {
        Ok(opened) => {
            let ticket = opened.ticket;
            let fact = ImportFact::Opened { item, ticket };
            with.journal.record(fact).await?;
            Ok(Seen::Opened(ticket))
        }
        Err(error) => {
            if !start_may_have_worked(item.kind, &error) {
                let fact = ImportFact::NotOpened {
                    item,
                    note: None,
                    lost: false,
                };
                with.journal.record(fact).await?;
            }
            Ok(Seen::OpenFailed(error))
        }
    }
}

/// What the ticket names is taken for the object only where it is an address of the user's own.
async fn read(importing: Importing<'_>, ticket: ImportTicket) -> Result<Seen, ImportError> {
    let user = &importing.order.order.user;
    Ok(match importing.with.imports.import_ticket(ticket).await {
        Ok(facts) => {
            let reference = facts.reference.as_deref();
            let object = reference.and_then(|uri| named_by(uri, user, ticket.kind));
            Seen::Ticket(facts, object)
        }
        Err(error) => Seen::TicketFailed(error),
    })
}

async fn look_up(
    importing: Importing<'_>,
    item: ItemRef,
    identity: Identity,
    replaces: Option<String>,
) -> Result<Seen, ImportError> {
    Ok(match lists::objects(importing, item.kind).await? {
        Ok(objects) => {
            let found = identity.find_new(&objects, replaces.as_deref());
            Seen::LookedUp(found.map_or(Live::NotThere, |object| Live::There(id_of(object))))
        }
        Err(failed) => Seen::LookUpFailed(failed.error),
    })
}

async fn delete(importing: Importing<'_>, ticket: ImportTicket) -> Result<Seen, ImportError> {
    let with = importing.with;
    match with.imports.delete_import(ticket).await {
        Ok(()) => {
            with.journal.record(ImportFact::Gone { ticket }).await?;
            Ok(Seen::Deleted)
        }
        Err(error) => Ok(Seen::DeleteFailed(error)),
    }
}
