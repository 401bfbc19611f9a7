//! A bag held against a receipt.

use serde::Serialize;
use thiserror::Error;

use super::document::{ABOUT, BagReceipt, Counts};
use crate::bag::verify::RecordedExport;
use crate::model::Sha256;

/// A bag as it was found.
#[derive(Clone, Debug, Default)]
pub struct ReceivedBag<'a> {
    /// Its name without its folder.
    pub name: Option<String>,
    /// Its size and the SHA-256 of the whole file; `None` for one that was unpacked.
    pub file: Option<(u64, Sha256)>,
    /// SHA-256 of its `tagmanifest-sha256.txt`.
    pub tagmanifest_sha256: Option<Sha256>,
    /// SHA-256 of its `export.json`.
    pub export_json_sha256: Option<Sha256>,
    /// What that says.
    pub recorded: Option<&'a RecordedExport>,
}

/// In what a bag is not what the receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Difference {
    /// The file is longer or shorter.
    #[error("the bag has {found} bytes, the receipt says {said}")]
    Bytes {
        /// Bytes found.
        found: u64,
        /// Bytes that the receipt says.
        said: u64,
    },
    /// The file has other bytes.
    #[error("the bag's SHA-256 is {found}, the receipt says {said}")]
    Sum {
        /// That of the file.
        found: Sha256,
        /// That of the receipt.
        said: Sha256,
    },
    /// A tag file has other bytes, or is not there.
    #[error("`{file}` in the bag is not the one that the receipt names")]
    TagFile {
        /// Which.
        file: &'static str,
    },
    /// The receipt says something else than `export.json`.
    #[error("`{field}` in the receipt is not what export.json says")]
    Field {
        /// Which field of the receipt.
        field: &'static str,
    },
    /// The receipt claims something else of itself than receipts do.
    #[error("`about` in the receipt is not the sentence of this format")]
    About,
}

impl Serialize for Difference {
    /// As its sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What came of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Each is a reason to distrust the bag or the receipt.
    pub differences: Vec<Difference>,
    /// The name that the bag had when it was delivered, where it has another one now. No difference: names may change.
    pub renamed_from: Option<String>,
    /// Whether the file as a whole was compared. An unpacked bag is compared by its tag manifest only, which covers every file.
    pub whole_file: bool,
}

/// Holds a bag against a receipt.
pub fn compare(receipt: &BagReceipt, bag: &ReceivedBag<'_>) -> Comparison {
    let mut differences = Vec::new();
    if receipt.about != ABOUT {
        differences.push(Difference::About);
    }
    if let Some((bytes, sum)) = bag.file {
        differences.extend(of_file(receipt, bytes, sum));
    }
    let tags = [
        (
            "tagmanifest-sha256.txt",
            bag.tagmanifest_sha256,
            receipt.tagmanifest_sha256,
        ),
        (
            "export.json",
            bag.export_json_sha256,
            receipt.export_json_sha256,
        ),
    ];
    for (file, found, said) in tags {
        if found != Some(said) {
            differences.push(Difference::TagFile { file });
        }
    }
    if let Some(recorded) = bag.recorded {
        let fields = fields(receipt, recorded).into_iter();
        differences.extend(
            fields
                .filter(|(_, same)| !same)
                .map(|(field, _)| Difference::Field { field }),
        );
    }
    let renamed = receipt.bag.name.as_ref();
    Comparison {
        differences,
        renamed_from: renamed
            .filter(|said| bag.file.is_some() && bag.name.as_ref() != Some(*said))
            .cloned(),
        whole_file: bag.file.is_some(),
    }
}

fn of_file(receipt: &BagReceipt, bytes: u64, sum: Sha256) -> Option<Difference> {
    let said = &receipt.bag;
    if bytes != said.bytes {
        return Some(Difference::Bytes {
            found: bytes,
            said: said.bytes,
        });
    }
    (sum != said.sha256).then_some(Difference::Sum {
        found: sum,
        said: said.sha256,
    })
}

/// What both say, and whether it is the same.
fn fields(receipt: &BagReceipt, recorded: &RecordedExport) -> [(&'static str, bool); 7] {
    let same = |said: &str, found: &Option<String>| found.as_deref() == Some(said);
    [
        ("user", same(&receipt.user, &recorded.user)),
        (
            "source",
            same(&receipt.source.url, &recorded.source.url)
                && receipt.source.uforge_version == recorded.source.uforge_version,
        ),
        (
            "tool",
            same(&receipt.tool.name, &recorded.tool.name)
                && same(&receipt.tool.version, &recorded.tool.version),
        ),
        ("started", same(&receipt.started, &recorded.started)),
        ("finished", same(&receipt.finished, &recorded.finished)),
        ("outcome", same(&receipt.outcome, &recorded.outcome)),
        ("counts", receipt.counts == Counts::of(recorded)),
    ]
}
