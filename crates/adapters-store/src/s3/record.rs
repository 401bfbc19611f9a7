//! What one record of a run says, and how it is written: a line of JSON, then the bytes of the pieces that are kept in it.

use adapters_archive::EntryRecord;
use bytes::Bytes;
use domain::jobs::RunSettings;
use domain::model::{BagFormat, BagPath, SafeName, Sha256, UserId};
use domain::ports::{Fact, NewEntry};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::objects::{ObjectPiece, Uploaded};

/// The version of the records' form that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// The first: which bag this is.
    Began(Box<Began>),
    /// An entry that is part of the bag from now on.
    Placed(Box<PlacedRecord>),
    /// So much of an entry with a validator is in objects that are whole. It replaces what was recorded of it before.
    Partial {
        entry: Box<NewEntry>,
        objects: Vec<ObjectPiece>,
    },
    /// A partial entry was discarded.
    PartialDiscarded { path: BagPath },
    /// The bag is whole.
    Complete(Complete),
    /// The bag is the job's.
    Kept,
    /// A fact of the domain.
    Fact(Fact),
}

/// Which bag the records are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Began {
    version: u32,
    user: UserId,
    source: String,
    format: BagFormat,
    top: SafeName,
    file: SafeName,
    fingerprint: Sha256,
    pub(super) created: Timestamp,
}

/// An entry's member: its head, body and tail. The record's own bytes are head ‖ body ‖ tail, or head ‖ tail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlacedRecord {
    pub(super) entry: EntryRecord,
    /// Bytes of the head.
    pub(super) head: u64,
    pub(super) body: Body,
    /// Bytes of the tail.
    pub(super) tail: u64,
}

/// Where bytes of a bag are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    /// In the record itself: so many.
    Inline(u64),
    /// In objects, one after the other.
    Objects(Vec<ObjectPiece>),
}

/// The end of a bag. The record's own bytes are those of the end and of the report that are kept in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Complete {
    /// Its file name.
    pub(super) file: SafeName,
    /// Bytes of the whole.
    pub(super) bytes: u64,
    /// SHA-256 of the whole.
    pub(super) sha256: Sha256,
    /// What follows the last entry: tag files and the container's end.
    pub(super) end: Body,
    /// `export.json` by itself, where there is one.
    pub(super) report: Option<Body>,
}

/// A record that cannot be read.
#[derive(Debug, Error)]
pub(super) enum RecordError {
    /// It is not what this program writes.
    #[error("a record of the run cannot be read")]
    Damaged(#[source] Option<serde_json::Error>),
    /// It is of another version.
    #[error("the run was recorded by another version of this program (format {0})")]
    Version(u32),
}

impl Began {
    pub(super) fn new(settings: &RunSettings) -> Self {
        Self {
            version: FORMAT_VERSION,
            user: settings.user.clone(),
            source: settings.source.clone(),
            format: settings.format,
            top: settings.top.clone(),
            file: settings.file.clone(),
            fingerprint: settings.fingerprint,
            created: Timestamp::now(),
        }
    }

    /// Whether a run of these settings can be resumed.
    pub(super) fn is_of(&self, settings: &RunSettings) -> bool {
        let expected = Self {
            created: self.created,
            ..Self::new(settings)
        };
        *self == expected
    }
}

impl Body {
    /// Splits where bytes went into what is recorded of them, and what of them the record keeps itself.
    pub(super) fn of(uploaded: Uploaded) -> (Self, Bytes) {
        match uploaded {
            Uploaded::Small(bytes) => (Self::Inline(bytes.len() as u64), bytes),
            Uploaded::Objects(objects) => (Self::Objects(objects), Bytes::new()),
        }
    }

    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Inline(bytes) => *bytes,
            Self::Objects(objects) => objects.iter().map(|object| object.bytes).sum(),
        }
    }

    pub(super) fn inline(&self) -> u64 {
        match self {
            Self::Inline(bytes) => *bytes,
            Self::Objects(_) => 0,
        }
    }

    pub(super) fn objects(&self) -> &[ObjectPiece] {
        match self {
            Self::Inline(_) => &[],
            Self::Objects(objects) => objects,
        }
    }
}

impl PlacedRecord {
    /// Bytes of head, body and tail.
    pub(super) fn length(&self) -> u64 {
        self.head + self.body.length() + self.tail
    }
}

impl Record {
    /// How many bytes of pieces it keeps itself.
    fn inline(&self) -> u64 {
        match self {
            Self::Placed(placed) => placed.head + placed.body.inline() + placed.tail,
            Self::Complete(complete) => {
                let report = complete.report.as_ref().map_or(0, Body::inline);
                complete.end.inline() + report
            }
            _ => 0,
        }
    }

    /// The record's content, with the bytes of the pieces that it keeps.
    pub(super) fn encode(&self, kept: &[&[u8]]) -> Result<Bytes, serde_json::Error> {
        let mut content = serde_json::to_vec(self)?;
        content.push(b'\n');
        for bytes in kept {
            content.extend_from_slice(bytes);
        }
        Ok(content.into())
    }

    /// Reads a record, and the bytes that it keeps.
    pub(super) fn decode(content: &Bytes) -> Result<(Self, Bytes), RecordError> {
        let end = content.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or(RecordError::Damaged(None))?;
        let line = content.get(..end).unwrap_or_default();
        let record: Self = match serde_json::from_slice(line) {
            Ok(record) => record,
            Err(error) => {
                return Err(other_version(line).unwrap_or(RecordError::Damaged(Some(error))));
            }
        };
        let kept = content.slice(end + 1..);
        match &record {
            Self::Began(began) if began.version != FORMAT_VERSION => {
                Err(RecordError::Version(began.version))
            }
            record if record.inline() != kept.len() as u64 => Err(RecordError::Damaged(None)),
            _ => Ok((record, kept)),
        }
    }
}

/// What another version wrote may look like damage.
fn other_version(line: &[u8]) -> Option<RecordError> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let version = value.get("began")?.get("version")?.as_u64()?;
    let version = u32::try_from(version).ok()?;
    (version != FORMAT_VERSION).then_some(RecordError::Version(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_bytes_whatever_they_are() {
        let complete = Complete {
            file: SafeName::parse("a.zip").unwrap(),
            bytes: 9,
            sha256: Sha256::of(b""),
            end: Body::Inline(4),
            report: Some(Body::Inline(2)),
        };
        let record = Record::Complete(complete);
        let content = record.encode(&[b"\n\0\xff\n", b"{}"]).unwrap();
        let (read, kept) = Record::decode(&content).unwrap();
        assert_eq!(read, record);
        assert_eq!(&kept[..], b"\n\0\xff\n{}");
        let cut = content.slice(..content.len() - 1);
        assert!(matches!(Record::decode(&cut), Err(RecordError::Damaged(_))));
        assert!(matches!(
            Record::decode(&Bytes::new()),
            Err(RecordError::Damaged(_))
        ));
    }

    #[test]
    fn a_record_of_another_version_says_so() {
        let content = Bytes::from_static(b"{\"began\":{\"version\":7,\"what\":1}}\n");
        assert!(matches!(
            Record::decode(&content),
            Err(RecordError::Version(7))
        ));
    }
}
