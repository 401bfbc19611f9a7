//! The facts of a document: of a long list piece by piece, which may be read while it arrives.

use domain::model::{Facts, ObjectFacts, Resource, begins_as_utf_8};

use super::facts::{list_names, object, of};
use super::packed::is_gzip;
use super::pieces::{Mismatch, Piece, Pieces};
use super::xml::{checked, count, root, tree};
use super::{Unread, guard};

/// A document that is longer than this and may be a list is read piece by piece.
pub(crate) const LONG_LIST_BYTES: usize = 256 * 1024;

/// The facts of this resource's document.
pub(super) fn read(bytes: &[u8], what: Resource) -> Result<Facts, Unread> {
    let text = checked(bytes)?;
    match LongList::of(what).filter(|_| text.len() > LONG_LIST_BYTES) {
        Some(mut list) => {
            list.take(text.as_bytes())?;
            list.end()
        }
        None => of(&tree(text)?, what),
    }
}

/// A long list of which the first part is here. Neither its text nor a tree of the whole is kept.
pub(crate) struct LongList {
    name: &'static str,
    pieces: Pieces,
    objects: Vec<ObjectFacts>,
    /// The beginning of a character whose end has not arrived.
    cut: Vec<u8>,
    /// Bytes that were read as text.
    read: usize,
}

impl LongList {
    /// Begins to read a document with its first bytes. `None` where it is not one that can be read piece by piece: no list, packed, or
    /// in another encoding.
    pub(crate) fn begun(beginning: &[u8], what: Resource) -> Result<Option<Self>, Unread> {
        let Some(mut list) = Self::of(what) else {
            return Ok(None);
        };
        if is_gzip(beginning) || !begins_as_utf_8(beginning) {
            return Ok(None);
        }
        let whole_characters = beginning.utf8_chunks().next().map_or("", |c| c.valid());
        if whole_characters.is_empty() {
            return Ok(None);
        }
        checked(whole_characters.as_bytes())?;
        let mark = if beginning.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        list.read = mark;
        list.take(&beginning[mark..])?;
        Ok(Some(list))
    }

    /// `None` where this resource is not a list.
    pub(super) fn of(what: Resource) -> Option<Self> {
        let (name, wrapper, item) = list_names(what)?;
        Some(Self {
            name,
            pieces: Pieces::of(wrapper, item),
            objects: Vec::new(),
            cut: Vec::new(),
            read: 0,
        })
    }

    /// Reads the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        if self.cut.is_empty() {
            return self.take_text(bytes);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(bytes);
        self.take_text(&joined)
    }

    fn take_text(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let (text, cut) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) if error.error_len().is_some() => {
                return Err(not_utf_8(self.read + error.valid_up_to()));
            }
            Err(error) => {
                let (text, cut) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(text).unwrap_or_default(), cut)
            }
        };
        self.read += text.len();
        self.cut = cut.to_vec();
        let objects = &mut self.objects;
        self.pieces.take(text, |piece| keep(objects, piece))
    }

    /// The facts, once all bytes were read.
    pub(crate) fn end(mut self) -> Result<Facts, Unread> {
        if !self.cut.is_empty() {
            return Err(not_utf_8(self.read));
        }
        let objects = &mut self.objects;
        let frame = self.pieces.end(|piece| keep(objects, piece))?;
        guard::check(&frame).map_err(Unread::Detail)?;
        let frame = tree(&frame)?;
        let root = root(&frame, &[self.name])?;
        Ok(Facts {
            objects: self.objects,
            total: count(root, "total"),
        })
    }
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl From<Mismatch> for Unread {
    fn from(Mismatch: Mismatch) -> Self {
        Self::because("it is not well-formed XML: its tags do not match")
    }
}

fn not_utf_8(at: usize) -> Unread {
    Unread::Detail(format!("it is not UTF-8 at byte {at}"))
}

fn keep(objects: &mut Vec<ObjectFacts>, piece: &Piece<'_>) -> Result<(), Unread> {
    let document = piece.document();
    guard::check(&document).map_err(Unread::Detail)?;
    let tree = tree(&document)?;
    let mut node = tree.root_element();
    for _ in 0..piece.depth() {
        node = node.first_element_child().ok_or(Mismatch)?;
    }
    objects.push(object(node));
    Ok(())
}
