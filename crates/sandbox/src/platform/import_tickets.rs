//! The platform's own import jobs: one after the other for each person.
//!
//! Nothing here reads a clock: every method is given the time that has elapsed.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::scenario::{Ending, ItemKind};

use super::records::ImportFacts;

/// All import tickets of all people.
#[derive(Default)]
pub(crate) struct Imports {
    last_id: i64,
    all: Vec<ImportJob>,
    /// SHA-256 of every archive that was uploaded.
    pub(super) uploaded: Vec<String>,
    /// How many imports of each name there were.
    pub(super) counts: HashMap<(String, ItemKind, String), u32>,
    /// Until when each person's imports were at work.
    pub(super) busy_until: HashMap<String, Duration>,
}

/// What a ticket was asked for with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options(Vec<&'static str>);

impl Options {
    /// Those of the parameters that are true.
    const NAMES: [&'static str; 4] = ["imported", "force", "reuseBundles", "useMajor"];

    /// Keeps the parameters for which this is so.
    pub(crate) fn of(is_set: impl Fn(&str) -> bool) -> Self {
        let names = Self::NAMES.into_iter();
        Self(names.filter(|name| is_set(name)).collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// One import job.
#[derive(Debug)]
pub(crate) struct ImportJob {
    pub(crate) id: i64,
    pub(crate) owner: String,
    pub(crate) kind: ItemKind,
    pub(crate) options: Options,
    pub(crate) created: Timestamp,
    pub(crate) stage: Stage,
    /// What the ticket names as its result.
    pub(crate) reference: Option<String>,
}

/// Where a job is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// It waits for its archive.
    Empty,
    /// It has its archive, and waits or is at work.
    Uploaded { archive: Bytes, at: Duration },
    /// It never ends.
    Stuck { bytes: u64 },
    /// It has made this object.
    Made { object: i64, bytes: u64 },
    /// It has ended without one.
    Failed {
        how: Ending,
        words: String,
        bytes: u64,
    },
}

impl ImportJob {
    pub(crate) fn facts(&self) -> ImportFacts {
        ImportFacts {
            id: self.id,
            owner: self.owner.clone(),
            kind: self.kind,
            uploaded: !matches!(self.stage, Stage::Empty),
            made: match self.stage {
                Stage::Made { object, .. } => Some(object),
                _ => None,
            },
        }
    }

    /// Bytes of its archive.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match &self.stage {
            Stage::Empty => None,
            Stage::Uploaded { archive, .. } => Some(archive.len() as u64),
            Stage::Stuck { bytes } | Stage::Made { bytes, .. } | Stage::Failed { bytes, .. } => {
                Some(*bytes)
            }
        }
    }
}

impl Imports {
    pub(crate) fn open(
        &mut self,
        owner: &str,
        kind: ItemKind,
        options: Options,
        created: Timestamp,
    ) -> &ImportJob {
        // Other people's imports take numbers too.
        self.last_id = (self.last_id.max(5000) + 1) + self.last_id % 2;
        self.all.push(ImportJob {
            id: self.last_id,
            owner: owner.to_owned(),
            kind,
            options,
            created,
            stage: Stage::Empty,
            reference: None,
        });
        &self.all[self.all.len() - 1]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ImportJob> {
        self.all.iter()
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut ImportJob> {
        self.all.iter_mut().find(|job| job.id == id)
    }

    pub(crate) fn delete(&mut self, id: i64) {
        self.all.retain(|job| job.id != id);
    }

    /// The job that ends next and by then: of each person, the one whose archive came first; and when it ends.
    pub(crate) fn due(&self, takes: Duration, elapsed: Duration) -> Option<(i64, Duration)> {
        let waiting = self.all.iter().filter_map(|job| match job.stage {
            Stage::Uploaded { at, .. } => Some((at, job)),
            _ => None,
        });
        let is_held_up = |owner: &str| {
            let mut theirs = self.all.iter().filter(|job| job.owner == owner);
            theirs.any(|job| matches!(job.stage, Stage::Stuck { .. }))
        };
        waiting
            .filter(|(_, job)| !is_held_up(&job.owner))
            .map(|(at, job)| {
                let busy = self.busy_until.get(&job.owner).copied().unwrap_or_default();
                (at.max(busy) + takes, at, job.id)
            })
            .min()
            .filter(|(end, ..)| *end <= elapsed)
            .map(|(end, _, id)| (id, end))
    }
}
