//! What must be recorded of an import, so that a killed one is resumed, nothing is imported twice and no ticket is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::JournalError;
use crate::model::{ImportTicket, ItemKind, ItemRef, ObjectId};

/// One thing to record. Items are those of the bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum ImportFact {
    /// Appliance tickets that were on the platform before this import's first: somebody else's.
    Foreign {
        /// Which.
        tickets: Vec<ImportTicket>,
    },
    /// A ticket is about to be asked for.
    Intent {
        /// For what.
        item: ItemRef,
        /// When; records of older versions do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// The request was answered with a ticket, or the ticket was found later: it is ours.
    Opened {
        /// For what.
        item: ItemRef,
        /// Which.
        ticket: ImportTicket,
    },
    /// The request was answered without a ticket, or it can no longer be found out: there is none to look for.
    NotOpened {
        /// For what.
        item: ItemRef,
        /// What a person should know, where a ticket may be left.
        note: Option<String>,
        /// The answer was lost instead, and no ticket was found: it may be listed later.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// The first byte of an archive is about to be sent.
    Uploading {
        /// Of what.
        item: ItemRef,
        /// The object of the same name and version that is on the platform and is to be overwritten, by what distinguishes it.
        replaces: Option<String>,
    },
    /// The last byte of an archive is about to be sent: from now on the platform may have all of it.
    Sent {
        /// Of what.
        item: ItemRef,
    },
    /// The platform answered the upload: it has the archive.
    Uploaded {
        /// Of what.
        item: ItemRef,
    },
    /// It is imported.
    Imported {
        /// Of what.
        item: ItemRef,
        /// The new object, where it is known.
        object: Option<ObjectId>,
    },
    /// The ticket is no longer on the platform.
    Gone {
        /// Which.
        ticket: ImportTicket,
    },
    /// The ticket is of no more use and cannot be deleted: the report names it.
    GivenUp {
        /// Which.
        ticket: ImportTicket,
    },
}

/// How far the upload to a ticket got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum UploadPhase {
    /// Nothing was sent.
    #[default]
    None,
    /// A part was sent, never all.
    Begun,
    /// All of it may be there.
    Sent,
    /// All of it is there.
    Answered,
}

/// An object that an import made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeObject {
    /// Its id, where it is known.
    pub id: Option<ObjectId>,
}

/// What is recorded of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportRecord {
    /// A ticket was asked for, and the answer is not known.
    pub is_unanswered: bool,
    /// When that was, as far as is known.
    pub sent: Option<Timestamp>,
    /// When the last ticket was asked for of which the answer was lost and no ticket was found, as far as is known.
    pub lost: Option<Timestamp>,
    /// Its ticket that is on the platform, as far as is known.
    pub ticket: Option<ImportTicket>,
    /// How far the upload to that ticket got.
    pub upload: UploadPhase,
    /// An earlier ticket may have had the whole archive.
    pub was_sent: bool,
    /// What distinguishes the object that is to be overwritten.
    pub replaces: Option<String>,
    /// What it was imported as, once it was.
    pub imported: Option<MadeObject>,
}

impl ImportRecord {
    /// When the last ticket was asked for that is to be looked for, as far as is known.
    pub fn asked(&self) -> Option<Timestamp> {
        if self.is_unanswered {
            self.sent
        } else {
            self.lost
        }
    }

    /// Whether an object of its name and version on the platform may be its own.
    pub fn may_be_there(&self) -> bool {
        self.imported.is_some() || self.was_sent || self.upload >= UploadPhase::Sent
    }
}

/// What an import's journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportState {
    /// Appliance tickets known to be somebody else's; `None` where they were never looked up.
    pub foreign: Option<BTreeSet<ImportTicket>>,
    /// What is known of items.
    pub items: BTreeMap<ItemRef, ImportRecord>,
    /// Tickets that were ours and are deleted.
    pub gone: BTreeSet<ImportTicket>,
    /// Tickets of ours that are of no use and cannot be deleted.
    pub given_up: BTreeSet<ImportTicket>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl ImportState {
    /// Our tickets that are on the platform, each with its item.
    pub fn open(&self) -> impl Iterator<Item = (ItemRef, ImportTicket)> {
        let items = self.items.iter();
        items.filter_map(|(item, record)| Some((*item, record.ticket?)))
    }

    /// Whether nothing was recorded that matters to a later import.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.given_up.is_empty() && self.notes.is_empty()
    }

    /// Whether the same import has something on the platform to end or to clean up: a ticket of ours, or a request for one of which
    /// nobody knows what came of it. Tickets of software stay where it was imported: they cannot be deleted.
    pub fn is_under_way(&self) -> bool {
        self.items.iter().any(|(item, record)| {
            let is_done = item.kind == ItemKind::MySoftware && record.imported.is_some();
            record.is_unanswered || (record.ticket.is_some() && !is_done)
        })
    }

    /// Whether a ticket was ever ours.
    pub fn is_ours(&self, ticket: ImportTicket) -> bool {
        self.gone.contains(&ticket)
            || self.given_up.contains(&ticket)
            || self.open().any(|(_, open)| open == ticket)
    }

    /// Takes one more fact in, as [`ImportJournal::record`] does.
    pub fn apply(&mut self, fact: ImportFact) {
        match fact {
            ImportFact::Foreign { tickets } => {
                self.foreign.get_or_insert_default().extend(tickets);
            }
            ImportFact::Intent { item, at } => {
                let record = self.of(item);
                record.is_unanswered = true;
                record.sent = at;
            }
            ImportFact::Opened { item, ticket } => {
                // The platform may use the number of a deleted ticket again.
                self.gone.remove(&ticket);
                let record = self.of(item);
                record.is_unanswered = false;
                record.sent = None;
                record.ticket = Some(ticket);
                record.upload = UploadPhase::None;
            }
            ImportFact::NotOpened { item, note, lost } => {
                let record = self.of(item);
                record.is_unanswered = false;
                let sent = record.sent.take();
                if lost {
                    record.lost = sent;
                }
                self.notes.extend(note);
            }
            ImportFact::Uploading { item, replaces } => {
                let record = self.of(item);
                record.upload = UploadPhase::Begun;
                record.replaces = replaces;
            }
            ImportFact::Sent { item } => self.of(item).upload = UploadPhase::Sent,
            ImportFact::Uploaded { item } => self.of(item).upload = UploadPhase::Answered,
            ImportFact::Imported { item, object } => {
                self.of(item).imported = Some(MadeObject { id: object });
            }
            ImportFact::Gone { ticket } => {
                self.forget(ticket);
                self.gone.insert(ticket);
            }
            ImportFact::GivenUp { ticket } => {
                self.forget(ticket);
                self.given_up.insert(ticket);
            }
        }
    }

    fn of(&mut self, item: ItemRef) -> &mut ImportRecord {
        self.items.entry(item).or_default()
    }

    /// The item no longer has this ticket.
    fn forget(&mut self, ticket: ImportTicket) {
        let holders = self.items.values_mut();
        for record in holders.filter(|record| record.ticket == Some(ticket)) {
            record.was_sent |= record.upload >= UploadPhase::Sent;
            record.ticket = None;
            record.upload = UploadPhase::None;
        }
    }
}

/// Records the facts of one import.
#[async_trait]
pub trait ImportJournal: Send + Sync {
    /// What is recorded now: what an interrupted import left, and all that was recorded since.
    fn checkpoint(&self) -> ImportState;

    /// Records. After this returns, the fact survives a loss of power where the journal is kept on disk.
    async fn record(&self, fact: ImportFact) -> Result<(), JournalError>;
}

/// A journal in memory, for work that leaves nothing behind. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryImportJournal(Arc<Mutex<ImportState>>);

#[async_trait]
impl ImportJournal for MemoryImportJournal {
    fn checkpoint(&self) -> ImportState {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn record(&self, fact: ImportFact) -> Result<(), JournalError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(fact);
        Ok(())
    }
}
