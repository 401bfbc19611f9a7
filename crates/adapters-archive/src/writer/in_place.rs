//! The bag when all its payload is in place: what is in it can be read back, and tag files are added.

use std::io::{self, Read};

use domain::model::BagPath;
use domain::ports::{PayloadInPlace, SinkError, Storage, TagFile, WriteTag};
use jiff::Timestamp;

use super::bag::UnfinishedBag;
use super::closed::Body;
use super::copies::StoredBody;
use super::member::MemberWriter;
use super::output::Output;
use super::small::encode;
use crate::container::{Content, Member, Placed, first_bytes};
use crate::spool::PositionedReader;

/// See the module.
pub(super) struct InPlace<'a> {
    bag: &'a UnfinishedBag,
    output: &'a mut Output,
    /// The time of the tag files.
    modified: Timestamp,
    /// The members of a container that can be read, as they were placed, in the order of their paths. Of many files, each by its number
    /// alone: what is known of them is kept once.
    by_path: Vec<u32>,
}

impl<'a> InPlace<'a> {
    /// The caller has the container for good, and no gap is in it.
    pub(super) fn new(bag: &'a UnfinishedBag, output: &'a mut Output, modified: Timestamp) -> Self {
        let by_path = match output {
            Output::File(_) => bag.commits.with_placed(by_path),
            Output::Forward(_) => Vec::new(),
        };
        Self {
            bag,
            output,
            modified,
            by_path,
        }
    }

    fn read_back(&self, path: &BagPath, at_most: u64) -> io::Result<Vec<u8>> {
        let Output::File(file) = &*self.output else {
            let (stored, body) = self.bag.copies.body(path)?;
            return self.decoded(stored, body, at_most);
        };
        let stored = self.body_of(path).ok_or(io::ErrorKind::NotFound)?;
        let body = PositionedReader::new(file.handle(), stored.offset);
        self.decoded(stored, Box::new(body), at_most)
    }

    fn body_of(&self, path: &BagPath) -> Option<StoredBody> {
        self.bag.commits.with_placed(|placed| {
            let member = |number: &u32| placed.get(usize::try_from(*number).ok()?);
            let found = self.by_path.binary_search_by(|number| {
                let known = member(number).map(|placed| &placed.member.path);
                known.cmp(&Some(path))
            });
            let number = self.by_path.get(found.ok()?)?;
            stored_body(self.bag, member(number)?)
        })
    }

    /// It is no entry: it has no origin, the journal does not record it, and nobody waits for its receipt.
    fn append(&mut self, path: &BagPath, content: Content, body: &Body) -> Result<(), SinkError> {
        let bag = self.bag;
        let member = Member::new(&bag.top, path, self.modified, STORAGE);
        let placed = bag.append(self.output, member, content, body)?;
        bag.commits.note_tag(placed);
        Ok(())
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

/// The numbers of these members in the order of their paths. Tag files that are placed behind them change none.
fn by_path(placed: &[Placed]) -> Vec<u32> {
    let mut numbers: Vec<(u32, &Placed)> = (0..).zip(placed).collect();
    numbers.sort_unstable_by_key(|(_, placed)| &placed.member.path);
    numbers.into_iter().map(|(number, _)| number).collect()
}

fn stored_body(bag: &UnfinishedBag, placed: &Placed) -> Option<StoredBody> {
    let (member, content) = (&placed.member, placed.content);
    let tail = bag.container.tail(member, content).len() as u64;
    Some(StoredBody {
        // From its end: a head may have either of two lengths.
        offset: placed.span.end.checked_sub(tail + content.packed)?,
        storage: member.storage,
        content,
    })
}

impl PayloadInPlace for InPlace<'_> {
    fn first_bytes(&mut self, path: &BagPath, at_most: u64) -> Option<Vec<u8>> {
        self.read_back(path, at_most)
            .inspect_err(
                |error| tracing::warn!(%path, %error, "it cannot be read back for the pages of the bag"),
            )
            .ok()
    }

    fn add(&mut self, tag: TagFile) -> Result<(), SinkError> {
        let bag = self.bag;
        // Kept also if it fails: finishing is not tried again.
        bag.reserve(&tag.path)?.keep();
        let encoded = encode(bag, STORAGE, &[tag.bytes])?;
        self.append(&tag.path, encoded.content, &Body::Memory(encoded.output))
    }

    /// Its body waits in a file: a container that compresses nothing would have all of it in memory else.
    fn add_written(&mut self, path: BagPath, write: WriteTag<'_>) -> Result<(), SinkError> {
        let bag = self.bag;
        bag.reserve(&path)?.keep();
        let (content, body) = bag.health.or_fail("write", bag.spool.path(), || {
            let spool_file = bag.spool.new_file()?;
            let encoding = bag.container.encoding(STORAGE);
            let mut writer = MemberWriter::new(encoding, spool_file.writer()?);
            write(&mut writer)?;
            let encoded = writer.finish(bag.container)?;
            encoded.output.finish()?;
            Ok((encoded.content, Body::Spooled(spool_file)))
        })?;
        self.append(&path, content, &body)
    }
}

/// Tag files are texts.
const STORAGE: Storage = Storage::Compressed;
