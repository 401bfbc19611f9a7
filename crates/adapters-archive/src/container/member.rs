//! What every container format is asked for: head, body and tail of a member, and the end.

use std::io::{self, Write};

use domain::model::{BagPath, SafeName};
use domain::ports::Storage;
use jiff::Timestamp;

use super::encode::Encoding;

/// Access rights of the files inside: their owner's only.
pub(super) const FILE_MODE: u32 = 0o600;

/// A file inside the container, before its content is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The bag's top folder.
    pub(crate) top: SafeName,
    /// Where it is below that.
    pub(crate) path: BagPath,
    /// When it was fetched.
    pub(crate) modified: Timestamp,
    /// Packed or not.
    pub(crate) storage: Storage,
}

impl Member {
    pub(crate) fn new(
        top: &SafeName,
        path: &BagPath,
        modified: Timestamp,
        storage: Storage,
    ) -> Self {
        Self {
            top: top.clone(),
            path: path.clone(),
            modified,
            storage,
        }
    }

    /// `<top folder>/<path in the bag>`. Made when it is needed: a bag of many files has each path in memory once.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.top, self.path)
    }

    /// Seconds since 1970, none before.
    pub(super) fn modified_secs(&self) -> u64 {
        u64::try_from(self.modified.as_second()).unwrap_or(0)
    }
}

/// What is known of a member's content once it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// Size.
    pub(crate) bytes: u64,
    /// CRC-32 of the content.
    pub(crate) crc32: u32,
    /// Length of the body: the content as it is in the container.
    pub(crate) packed: u64,
}

/// A place in the container: the bytes from `offset` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// Its first byte.
    pub(crate) offset: u64,
    /// The byte after its last.
    pub(crate) end: u64,
}

impl Span {
    pub(crate) fn length(self) -> u64 {
        self.end.saturating_sub(self.offset)
    }

    /// The same bytes at another place; `None` where no file reaches that far.
    pub(crate) fn moved_to(self, offset: u64) -> Option<Self> {
        Some(Self {
            offset,
            end: offset.checked_add(self.length())?,
        })
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.offset < other.end && other.offset < self.end
    }
}

/// A member that is in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Which.
    pub(crate) member: Member,
    /// What it holds.
    pub(crate) content: Content,
    /// Where it is, from its head's first byte to its tail's last.
    pub(crate) span: Span,
}

/// No file is longer, whatever a server says of it.
const LONGEST_BYTES: u64 = u64::MAX >> 1;

/// How long the parts of a member are, known before its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Length of a head that can be patched.
    pub(crate) head: u64,
    /// Length of the body, padding included.
    pub(crate) packed: u64,
    /// Length of head, body and tail.
    pub(crate) whole: u64,
}

impl Extent {
    /// Of a member whose content has this size; `None` where its body's length depends on the content.
    pub(crate) fn of(container: &dyn Container, member: &Member, bytes: u64) -> Option<Self> {
        if bytes > LONGEST_BYTES {
            return None;
        }
        let encoding = container.encoding(member.storage);
        let padding = container.padding(bytes) as u64;
        let content = Content {
            bytes,
            crc32: 0,
            packed: encoding.packed_length(bytes.checked_add(padding)?)?,
        };
        let head = container.head(member, content, HeadForm::Patchable).len() as u64;
        let tail = container.tail(member, content).len() as u64;
        Some(Self {
            head,
            packed: content.packed,
            whole: content.packed.checked_add(head)?.checked_add(tail)?,
        })
    }
}

/// When a head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadForm {
    /// Before the content is known, and again afterwards: its length depends on the member alone.
    Patchable,
    /// Once, when the content is known: as short as it can be.
    Final,
}

/// The bytes of one container format.
pub(crate) trait Container: Send + Sync {
    /// What stands before the body.
    fn head(&self, member: &Member, content: Content, form: HeadForm) -> Vec<u8>;

    /// How content becomes a body.
    fn encoding(&self, storage: Storage) -> Encoding;

    /// Zeros that are encoded after this much content.
    fn padding(&self, bytes: u64) -> usize;

    /// What stands after the body.
    fn tail(&self, member: &Member, content: Content) -> Vec<u8>;

    /// What stands after the last member, which ends at `offset`.
    fn end(&self, placed: &[Placed], offset: u64, output: &mut dyn Write) -> io::Result<()>;
}
