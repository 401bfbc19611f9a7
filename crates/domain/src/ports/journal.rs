//! What must be recorded beside the unfinished bag, so that a killed run can be resumed and no ticket is left.
//!
//! The sink keeps its own entries ([`super::ArchiveSink::resumed_receipts`]); the journal keeps tickets and facts.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bag::receipt::Delivered;
use crate::model::{Facts, ItemKind, ItemRef, Resource, Ticket};

/// A document as it is recorded: which resource.
pub type DocumentKey = Resource;

/// One thing to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The first run of this order began.
    Began {
        /// When.
        at: Timestamp,
    },
    /// Tickets that were open on the server before this run's first start: somebody else's.
    Foreign {
        /// Which.
        tickets: Vec<Ticket>,
    },
    /// A start is about to be sent.
    Intent {
        /// For what.
        item: ItemRef,
        /// When; journals of older versions do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// The start was answered with a ticket, or the ticket was found later: it is ours.
    Started {
        /// Which.
        ticket: Ticket,
    },
    /// The start was answered without a ticket: there is none to look for.
    NotStarted {
        /// For what.
        item: ItemRef,
        /// The answer was lost instead, and no ticket was found: it may be listed later.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// The start was sent, and its ticket can no longer be found: the report says so.
    #[serde(rename = "doubted")]
    Unresolved {
        /// For what.
        item: ItemRef,
        /// In words.
        #[serde(rename = "doubt")]
        note: String,
    },
    /// The ticket is no longer on the server, or no longer ours to delete.
    Gone {
        /// Which.
        ticket: Ticket,
    },
    /// A document was read and its entries are about to be written; `facts` are what was read from it.
    Read {
        /// Which.
        resource: DocumentKey,
        /// What was read.
        facts: Facts,
    },
    /// The platform gave this document as JSON.
    AsJson {
        /// Which.
        resource: DocumentKey,
    },
    /// The platform does not offer this document as JSON.
    NotAsJson {
        /// Which.
        resource: DocumentKey,
    },
    /// An archive of the earlier bag is not what that bag's manifest says: the item is exported.
    NotReused {
        /// Which.
        item: ItemRef,
        /// In words.
        note: String,
    },
    /// Nothing more is fetched: the bag is about to be finished.
    Finishing {
        /// Whether something is missing from it.
        is_partial: bool,
    },
    /// The bag is whole, and this is what a receipt says of it.
    Described {
        /// What it says.
        delivered: Box<Delivered>,
    },
}

impl Fact {
    /// Whether it is of a document, and may be written together with what comes next.
    pub fn is_of_document(&self) -> bool {
        matches!(
            self,
            Self::Read { .. } | Self::AsJson { .. } | Self::NotAsJson { .. }
        )
    }
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalState {
    /// When the first run of this order began.
    pub began: Option<Timestamp>,
    /// Tickets known to be somebody else's; `None` where they were never looked up.
    pub foreign: Option<BTreeSet<Ticket>>,
    /// Starts sent whose answer is not known.
    pub intents: BTreeSet<ItemRef>,
    /// When the starts in `intents` were sent, as far as is known.
    pub sent: BTreeMap<ItemRef, Timestamp>,
    /// When the last start of an item was sent whose answer was lost and whose ticket was not found, as far as is known.
    pub lost: BTreeMap<ItemRef, Timestamp>,
    /// What is not known of starts, in words.
    pub unresolved: Vec<String>,
    /// Our tickets that are still on the server, as far as is known.
    pub open: BTreeSet<Ticket>,
    /// Tickets that were ours: deleted, or left to the user.
    pub gone: BTreeSet<Ticket>,
    /// Documents read, whether or not their entries are in the bag. There may be tens of thousands: clones share them.
    pub documents: Arc<BTreeSet<DocumentKey>>,
    /// What was read in documents before this journal was opened. Only a run that is resumed needs it: what is read since is on disk,
    /// and not kept in memory besides.
    pub facts_before: Arc<BTreeMap<DocumentKey, Facts>>,
    /// Documents that the platform gave as JSON.
    pub as_json: Arc<BTreeSet<DocumentKey>>,
    /// Documents that the platform does not offer as JSON.
    pub not_as_json: Arc<BTreeSet<DocumentKey>>,
    /// Items that could not be taken from the earlier bag, and why, in words.
    pub not_reused: BTreeMap<ItemRef, String>,
    /// Whether something is missing from the bag that was about to be finished last. An encrypted bag does not say it itself.
    pub is_partial: bool,
    /// What a receipt says of that bag. An encrypted one cannot be asked.
    pub delivered: Option<Box<Delivered>>,
}

impl JournalState {
    /// Whether tickets of this run may be on the platform.
    pub fn may_have_tickets(&self) -> bool {
        !self.open.is_empty() || !self.intents.is_empty()
    }

    /// The numbers of our tickets that the platform's list of exports may show: those of appliances, deleted ones too.
    pub fn own_exports(&self) -> BTreeSet<i64> {
        let ours = self.open.iter().chain(&self.gone);
        let appliances = ours.filter(|ticket| ticket.item.kind == ItemKind::Appliance);
        appliances.map(|ticket| ticket.id.get()).collect()
    }

    /// When the last start of an item was sent whose ticket is to be looked for, as far as is known.
    pub fn asked(&self, item: ItemRef) -> Option<Timestamp> {
        let sent = if self.intents.contains(&item) {
            &self.sent
        } else {
            &self.lost
        };
        sent.get(&item).copied()
    }

    /// There is nothing to look for.
    fn answered(&mut self, item: ItemRef) -> Option<Timestamp> {
        self.intents.remove(&item);
        self.sent.remove(&item)
    }

    /// Its ticket was not found, but may be listed later.
    fn not_answered(&mut self, item: ItemRef) {
        match self.answered(item) {
            Some(at) => self.lost.insert(item, at),
            None => self.lost.remove(&item),
        };
    }

    /// Takes in a fact that is read from an earlier run's journal.
    pub fn restore(&mut self, fact: Fact) {
        self.apply(&fact);
        if let Fact::Read { resource, facts } = fact {
            Arc::make_mut(&mut self.facts_before).insert(resource, facts);
        }
    }

    /// Takes one more fact in, as [`Journal::record`] does.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Began { at } => {
                self.began.get_or_insert(*at);
            }
            Fact::Foreign { tickets } => self.foreign.get_or_insert_default().extend(tickets),
            Fact::Intent { item, at } => {
                self.intents.insert(*item);
                match at {
                    Some(at) => self.sent.insert(*item, *at),
                    None => self.sent.remove(item),
                };
            }
            Fact::Started { ticket } => {
                self.answered(ticket.item);
                self.open.insert(*ticket);
                // The platform may use the number of a deleted ticket again.
                self.gone.remove(ticket);
            }
            Fact::NotStarted { item, lost: false } => {
                self.answered(*item);
            }
            Fact::NotStarted { item, lost: true } => self.not_answered(*item),
            Fact::Unresolved { item, note } => {
                self.not_answered(*item);
                self.unresolved.push(note.clone());
            }
            Fact::Gone { ticket } => {
                self.open.remove(ticket);
                self.gone.insert(*ticket);
            }
            Fact::Read { resource, .. } => {
                Arc::make_mut(&mut self.documents).insert(*resource);
            }
            Fact::AsJson { resource } => {
                Arc::make_mut(&mut self.as_json).insert(*resource);
            }
            Fact::NotAsJson { resource } => {
                Arc::make_mut(&mut self.not_as_json).insert(*resource);
            }
            Fact::Finishing { is_partial } => {
                self.is_partial = *is_partial;
                self.delivered = None;
            }
            Fact::Described { delivered } => self.delivered = Some(delivered.clone()),
            Fact::NotReused { item, note } => {
                self.not_reused.insert(*item, note.clone());
            }
        }
    }
}

/// Why the journal could not be kept.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Writing or flushing failed.
    #[error("could not write the journal `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The run is somebody else's by now. Nothing was recorded; nothing more may be written or asked of the platform.
    #[error("this run is somebody else's by now")]
    Lost,
    /// The store that keeps the journal does not answer; later it may.
    #[error("the store of the journal does not answer")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Records facts.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Journal: Send + Sync {
    /// What is recorded now: what an interrupted run left, and all that was recorded since, except what was read in documents since.
    fn checkpoint(&self) -> JournalState;

    /// Records. After this returns, `Intent`, `Started`, `NotStarted`, `Unresolved`, `Gone` and `Foreign` survive a loss of power
    /// where the journal is kept on disk. `Read`, `AsJson` and `NotAsJson` survive with the next of them, and with the next entry that
    /// the sink makes safe: an entry that is resumed has the facts that were recorded before it was opened.
    async fn record(&self, fact: Fact) -> Result<(), JournalError>;
}

/// A journal in memory, for work that leaves nothing behind. Clones share it. There is no file, so it keeps what was read as well.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<JournalState>>);

#[async_trait]
impl Journal for MemoryJournal {
    fn checkpoint(&self) -> JournalState {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn record(&self, fact: Fact) -> Result<(), JournalError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .restore(fact);
        Ok(())
    }
}
