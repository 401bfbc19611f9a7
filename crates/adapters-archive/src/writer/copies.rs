//! Copies of documents and pictures, for a container that is only ever added to: the pages of the bag are made from them at its end.
//!
//! All lie in one file without a name, encrypted as every file beside an encrypted bag is. A copy that cannot be made or read is no
//! failure of the export: the page then refers to the file in the bag.

use std::collections::HashMap;
use std::io::{self, Read, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::model::BagPath;
use domain::ports::Storage;

use super::closed::Body;
use crate::container::Content;
use crate::journal::EntryRecord;
use crate::spool::{BodyWriter, Spool, SpoolFile};

/// The body of a member, and where it begins.
#[derive(Clone, Copy)]
pub(super) struct StoredBody {
    pub(super) offset: u64,
    pub(super) storage: Storage,
    pub(super) content: Content,
}

/// See the module.
#[derive(Default)]
pub(super) struct Copies(Mutex<State>);

#[derive(Default)]
struct State {
    file: Option<SpoolFile>,
    /// `None` before the first copy, and once they are read.
    writer: Option<BodyWriter>,
    end: u64,
    bodies: HashMap<BagPath, StoredBody>,
    /// After a failure no more copies are made: where the next would begin is not known.
    failed: bool,
}

impl Copies {
    /// Copies a body, if it can.
    pub(super) fn keep(&self, spool: &Spool, record: &EntryRecord, body: &Body) {
        let mut state = self.lock();
        if state.failed {
            return;
        }
        if let Err(error) = state.add(spool, record, body) {
            state.failed = true;
            tracing::warn!(%error, "no more copies are kept for the pages of the bag");
        }
    }

    /// A body that was copied. Nothing is copied afterwards.
    pub(super) fn body(&self, path: &BagPath) -> io::Result<(StoredBody, Box<dyn Read>)> {
        let mut state = self.lock();
        if let Some(writer) = state.writer.take() {
            writer.finish()?;
        }
        let stored = state.bodies.get(path).copied();
        let stored = stored.ok_or(io::ErrorKind::NotFound)?;
        let file = state.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok((stored, file.reader_at(stored.offset)?))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, spool: &Spool, record: &EntryRecord, body: &Body) -> io::Result<()> {
        if self.file.is_none() {
            let file = spool.new_file()?;
            self.writer = Some(file.writer()?);
            self.file = Some(file);
        }
        let writer = self.writer.as_mut();
        let writer = writer.ok_or_else(|| io::Error::other("the copies are being read"))?;
        match body {
            Body::Memory(body) => writer.write_all(body)?,
            Body::Spooled(spool_file) => spool_file.copy_to(writer).map(drop)?,
        }
        let content: Content = record.content();
        let stored = StoredBody {
            offset: self.end,
            storage: record.entry.storage,
            content,
        };
        self.end += content.packed;
        self.bodies.insert(record.entry.path.clone(), stored);
        Ok(())
    }
}
