//! What the platform shows to tests: plain facts.

use crate::scenario::ItemKind;

/// A ticket on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFacts {
    /// Its `dbId`.
    pub id: i64,
    /// Whose it is.
    pub owner: String,
    /// Of what.
    pub kind: ItemKind,
    /// Of which one.
    pub item: i64,
    /// How often its archive was asked for.
    pub downloads: u32,
    /// Whether another client asked for it.
    pub foreign: bool,
    /// Whether its archive can be had.
    pub complete: bool,
}

/// An import ticket on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFacts {
    /// Its `dbId`.
    pub id: i64,
    /// Whose it is.
    pub owner: String,
    /// Of what.
    pub kind: ItemKind,
    /// Whether its archive is there.
    pub uploaded: bool,
    /// The object that it has made.
    pub made: Option<i64>,
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its method.
    pub method: String,
    /// Its path relative to the base, decoded.
    pub path: Vec<String>,
    /// Its query as sent, without public key and signature.
    pub query: String,
    /// The first byte that was asked for, where only a part was.
    pub from: Option<u64>,
    /// Whether a rule or the dice of the scenario made something go wrong with it.
    pub struck: bool,
}

/// What an archive is, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}
