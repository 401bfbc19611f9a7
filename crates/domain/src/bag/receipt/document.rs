//! The document, written and read.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bag::verify::RecordedExport;
use crate::model::{Sha256, UserId};
use crate::object::Object;

/// The format's name and version.
pub const FORMAT: &str = "uforge-receipt/1";

/// What a receipt is, and what it is not. Part of the format: another sentence would be another promise.
pub const ABOUT: &str = "This receipt says which bag was delivered: its bytes, by their SHA-256, and what the bag says of itself. \
It proves that a bag is the one that was delivered. It does not prove that the platform gave everything it had.";

/// A receipt has some thousand bytes; what is larger is none.
pub const LARGEST_RECEIPT_BYTES: usize = 64 * 1024;

/// The file that was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFile {
    /// Its name without its folder; `None` where it went to standard output.
    pub name: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the whole file; of an encrypted bag, of the encrypted file.
    #[serde(deserialize_with = "sum")]
    pub sha256: Sha256,
}

/// The platform, as in `export.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedSource {
    /// The base URL.
    pub url: String,
    /// The platform's version; `None` where it does not say.
    pub uforge_version: Option<String>,
}

/// The program, as in `export.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedTool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How long the lists of `export.json` are, and how large its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Kinds of data, those that were left out among them.
    pub sections: u64,
    /// Objects.
    pub items: u64,
    /// Files of the payload.
    pub files: u64,
    /// Bytes of the payload.
    pub bytes: u64,
    /// What is missing or could not be done.
    pub failures: u64,
}

/// What a receipt says of a bag's content: known before the container is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// SHA-256 of `tagmanifest-sha256.txt`, which covers every file of the bag.
    pub tagmanifest_sha256: Sha256,
    /// SHA-256 of `export.json`.
    pub export_json_sha256: Sha256,
    /// Whose data.
    pub user: String,
    /// The platform.
    pub source: ReceivedSource,
    /// The program.
    pub tool: ReceivedTool,
    /// When the export began, as in `export.json`.
    pub started: String,
    /// When the bag was closed, as in `export.json`.
    pub finished: String,
    /// `complete` or `partial`.
    pub outcome: String,
    /// How much there is.
    pub counts: Counts,
}

/// The receipt of a bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BagReceipt {
    /// [`FORMAT`].
    pub format: String,
    /// [`ABOUT`].
    pub about: String,
    /// The file that was delivered.
    #[serde(deserialize_with = "object")]
    pub bag: ReceivedFile,
    /// SHA-256 of `tagmanifest-sha256.txt`.
    #[serde(deserialize_with = "sum")]
    pub tagmanifest_sha256: Sha256,
    /// SHA-256 of `export.json`.
    #[serde(deserialize_with = "sum")]
    pub export_json_sha256: Sha256,
    /// Whose data.
    pub user: String,
    /// The login that authenticated.
    pub requested_by: String,
    /// The platform.
    #[serde(deserialize_with = "object")]
    pub source: ReceivedSource,
    /// The program.
    #[serde(deserialize_with = "object")]
    pub tool: ReceivedTool,
    /// When the export began.
    pub started: String,
    /// When the bag was closed.
    pub finished: String,
    /// `complete` or `partial`.
    pub outcome: String,
    /// How much there is.
    #[serde(deserialize_with = "object")]
    pub counts: Counts,
}

/// Why a text is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Larger than any of ours.
    #[error("it is larger than the {LARGEST_RECEIPT_BYTES} bytes that a receipt has at most")]
    TooLarge,
    /// Not JSON.
    #[error("it cannot be read as JSON (line {line})")]
    Json {
        /// Where.
        line: usize,
    },
    /// JSON, but not a receipt.
    #[error("it is JSON, but not as a receipt has to be (line {line}, column {column})")]
    Content {
        /// Where.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// A format that this version does not know.
    #[error("it is of the format `{}`, which this version does not know", shown(.0))]
    Format(String),
}

/// The first characters of foreign text, in one line.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

impl Delivered {
    /// The same, of a bag that was made before: from its `export.json` and the sums of its tag files. `None` where the bag does not say
    /// enough of itself.
    pub fn of_recorded(
        recorded: &RecordedExport,
        tagmanifest_sha256: Sha256,
        export_json_sha256: Sha256,
    ) -> Option<Self> {
        let (source, tool) = (&recorded.source, &recorded.tool);
        Some(Self {
            tagmanifest_sha256,
            export_json_sha256,
            user: recorded.user.clone()?,
            source: ReceivedSource {
                url: source.url.clone()?,
                uforge_version: source.uforge_version.clone(),
            },
            tool: ReceivedTool {
                name: tool.name.clone()?,
                version: tool.version.clone()?,
            },
            started: recorded.started.clone()?,
            finished: recorded.finished.clone()?,
            outcome: recorded.outcome.clone()?,
            counts: Counts::of(recorded),
        })
    }
}

impl Counts {
    /// Those of an `export.json`.
    pub fn of(recorded: &RecordedExport) -> Self {
        let files = recorded.files.iter();
        Self {
            sections: recorded.sections.len() as u64,
            items: recorded.items.len() as u64,
            files: recorded.files.len() as u64,
            bytes: files.fold(0, |all, file| all.saturating_add(file.bytes)),
            failures: recorded.failures.len() as u64,
        }
    }
}

impl BagReceipt {
    /// The receipt for a bag that stands under its final name.
    pub fn new(bag: ReceivedFile, delivered: Delivered, requested_by: &UserId) -> Self {
        Self {
            format: FORMAT.to_owned(),
            about: ABOUT.to_owned(),
            bag,
            tagmanifest_sha256: delivered.tagmanifest_sha256,
            export_json_sha256: delivered.export_json_sha256,
            user: delivered.user,
            requested_by: requested_by.as_str().to_owned(),
            source: delivered.source,
            tool: delivered.tool,
            started: delivered.started,
            finished: delivered.finished,
            outcome: delivered.outcome,
            counts: delivered.counts,
        }
    }

    /// The document: pretty, UTF-8, with a newline at its end. The same receipt always gives the same bytes.
    #[expect(
        clippy::expect_used,
        reason = "the types hold text and whole numbers: nothing that JSON cannot hold"
    )]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a receipt can be written as JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a document. Fields that are not known are passed over. What a foreign text says is not repeated.
    pub fn read(document: &[u8]) -> Result<Self, ReceiptError> {
        if document.len() > LARGEST_RECEIPT_BYTES {
            return Err(ReceiptError::TooLarge);
        }
        // The format first: of another one the other fields are not known.
        let Object(Format { format }) =
            serde_json::from_slice(document).map_err(|error| unreadable(&error))?;
        if format != FORMAT {
            return Err(ReceiptError::Format(format));
        }
        let Object(receipt) =
            serde_json::from_slice(document).map_err(|error| unreadable(&error))?;
        Ok(receipt)
    }
}

#[derive(Deserialize)]
struct Format {
    format: String,
}

fn unreadable(error: &serde_json::Error) -> ReceiptError {
    let (line, column) = (error.line(), error.column());
    if error.is_data() {
        ReceiptError::Content { line, column }
    } else {
        ReceiptError::Json { line }
    }
}

fn object<'de, D, T>(object: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(object).map(|Object(value)| value)
}

/// A sum as it is written: in upper case it would be another document.
fn sum<'de, D: serde::Deserializer<'de>>(sum: D) -> Result<Sha256, D::Error> {
    let text = String::deserialize(sum)?;
    let parsed = Sha256::parse(&text).filter(|parsed| parsed.to_string() == text);
    parsed.ok_or_else(|| serde::de::Error::custom("this is no SHA-256 sum in lower case"))
}
