//! The bag when all its payload is in place: what is in it can be read back, and tag files are added.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use domain::model::BagPath;
use domain::ports::{PayloadInPlace, SinkError, Storage, TagFile};
use jiff::Timestamp;

use super::bag::UnfinishedBag;
use super::closed::Body;
use super::copies::StoredBody;
use super::output::Output;
use super::small::encode;
use crate::container::{Member, Placed, first_bytes};
use crate::spool::PositionedReader;

/// See the module.
pub(super) struct InPlace<'a> {
    bag: &'a UnfinishedBag,
    output: &'a mut Output,
    /// The time of the tag files.
    modified: Timestamp,
    /// The members of a container that can be read, by their names.
    bodies: HashMap<Arc<str>, StoredBody>,
}

impl<'a> InPlace<'a> {
    /// The caller has the container for good, and no gap is in it.
    pub(super) fn new(bag: &'a UnfinishedBag, output: &'a mut Output, modified: Timestamp) -> Self {
        let bodies = match output {
            Output::File(_) => bag.commits.with_placed(|placed| bodies(bag, placed)),
            Output::Forward(_) => HashMap::new(),
        };
        Self {
            bag,
            output,
            modified,
            bodies,
        }
    }

    fn read_back(&self, path: &BagPath, at_most: u64) -> io::Result<Vec<u8>> {
        let Output::File(file) = &*self.output else {
            let (stored, body) = self.bag.copies.body(path)?;
            return self.decoded(stored, body, at_most);
        };
        let name = Member::new(&self.bag.top, path, self.modified, Storage::Stored).name;
        let stored = self.bodies.get(&name).copied();
        let stored = stored.ok_or(io::ErrorKind::NotFound)?;
        let body = PositionedReader::new(file.handle(), stored.offset);
        self.decoded(stored, Box::new(body), at_most)
    }

    fn decoded(
        &self,
        stored: StoredBody,
        body: Box<dyn Read + '_>,
        at_most: u64,
    ) -> io::Result<Vec<u8>> {
        let encoding = self.bag.container.encoding(stored.storage);
        first_bytes(encoding, stored.content, body, at_most)
    }
}

fn bodies(bag: &UnfinishedBag, placed: &[Placed]) -> HashMap<Arc<str>, StoredBody> {
    let body_of = |placed: &Placed| {
        let (member, content) = (&placed.member, placed.content);
        let tail = bag.container.tail(member, content).len() as u64;
        // From its end: a head may have either of two lengths.
        let offset = placed.span.end.checked_sub(tail + content.packed)?;
        let stored = StoredBody {
            offset,
            storage: member.storage,
            content,
        };
        Some((Arc::clone(&member.name), stored))
    };
    placed.iter().filter_map(body_of).collect()
}

impl PayloadInPlace for InPlace<'_> {
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>> {
        self.read_back(path, at_most)
            .inspect_err(
                |error| tracing::warn!(%path, %error, "it cannot be read back for the pages of the bag"),
            )
            .ok()
    }

    /// It is no entry: it has no origin, the journal does not record it, and nobody waits for its receipt.
    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        let bag = self.bag;
        // Kept also if it fails: finishing is not tried again.
        bag.reserve(&tag.path)?.keep();
        let storage = Storage::Compressed;
        let member = Member::new(&bag.top, &tag.path, self.modified, storage);
        let encoded = encode(bag, storage, &[tag.bytes])?;
        let body = Body::Memory(encoded.output);
        let placed = bag.append(self.output, member, encoded.content, &body)?;
        bag.commits.note_tag(placed);
        Ok(())
    }
}
