//! `verify --receipt`: a bag held against the receipt of its export, and the receipt against its signature.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use domain::bag::receipt::{BagReceipt, Comparison, ReceiptError, ReceivedBag, compare};
use serde::Serialize;

use crate::args::VerifyArguments;
use crate::compose::{
    self, ComposeError, StoredFormat, VerifyReport, VerifyingKey, read_receipt_file,
    signature_beside, signed_with,
};
use crate::error::CommandError;
use crate::render::{count, number, printable};

/// A receipt, as it was given.
pub(super) struct Given {
    path: PathBuf,
    document: Vec<u8>,
    key: Option<VerifyingKey>,
    signature: io::Result<Vec<u8>>,
}

/// What holding a bag against its receipt came to.
#[derive(Debug)]
pub(super) struct ReceiptCheck {
    path: PathBuf,
    receipt: Result<BagReceipt, ReceiptError>,
    compared: Comparison,
    signature: Signature,
}

/// What is known of the signature.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Signature {
    /// It is that of the key that was given.
    Valid {
        key: String,
        trusted_comment: String,
    },
    /// There is one, and no key to check it with.
    Unchecked { key: String },
    /// There is none, and none was asked for.
    Absent,
    /// It does not count.
    Invalid { problem: String },
}

impl Given {
    /// Reads what the arguments name, before the bag is opened.
    pub(super) fn read(arguments: &VerifyArguments) -> Result<Option<Self>, CommandError> {
        let Some(path) = arguments.receipt.clone() else {
            return Ok(None);
        };
        let key = arguments.public_key.as_deref().map(VerifyingKey::read);
        let key = key.transpose().map_err(ComposeError::from)?;
        let unreadable = |source| CommandError::ReceiptUnreadable {
            path: path.clone(),
            source,
        };
        Ok(Some(Self {
            document: read_receipt_file(&path).map_err(unreadable)?,
            signature: read_receipt_file(&signature_beside(&path)),
            key,
            path,
        }))
    }

    /// Holds a bag that was read against it. The file is read once more, for the sum of the whole.
    pub(super) fn check(
        self,
        bag: &Path,
        report: &VerifyReport,
    ) -> Result<ReceiptCheck, ComposeError> {
        let signature = self.signature();
        let receipt = BagReceipt::read(&self.document);
        let mut compared = Comparison::default();
        if let Ok(receipt) = &receipt {
            let file = match report.format {
                StoredFormat::Folder => None,
                _ => Some(compose::sum_of_file(bag)?),
            };
            let name = bag.file_name().map(|name| name.to_string_lossy());
            let found = ReceivedBag {
                name: name.map(std::borrow::Cow::into_owned),
                file,
                tagmanifest_sha256: report.tag_sums.tag_manifest,
                export_json_sha256: report.tag_sums.export_json,
                recorded: report.recorded.as_ref(),
            };
            compared = compare(receipt, &found);
        }
        Ok(ReceiptCheck {
            path: self.path,
            receipt,
            compared,
            signature,
        })
    }

    fn signature(&self) -> Signature {
        let invalid = |problem: &dyn std::fmt::Display| Signature::Invalid {
            problem: problem.to_string(),
        };
        let bytes = match &self.signature {
            Ok(bytes) => bytes,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return invalid(error),
            Err(_) if self.key.is_none() => return Signature::Absent,
            Err(_) => return invalid(&"there is none beside the receipt"),
        };
        let text = String::from_utf8_lossy(bytes);
        let Some(key) = &self.key else {
            return match signed_with(&text) {
                Ok(key) => Signature::Unchecked { key },
                Err(problem) => invalid(&problem),
            };
        };
        match key.check(&self.document, &text) {
            Ok(trusted_comment) => Signature::Valid {
                key: key.id(),
                trusted_comment,
            },
            Err(problem) => invalid(&problem),
        }
    }
}

impl ReceiptCheck {
    /// Whether the bag is the one of the receipt, and the receipt's signature counts where there is one.
    pub(super) fn is_sound(&self) -> bool {
        self.findings().is_empty()
    }

    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if let Err(error) = &self.receipt {
            findings.push(format!("this is no receipt: {error}"));
        }
        if let Signature::Invalid { problem } = &self.signature {
            findings.push(format!("the signature does not count: {problem}"));
        }
        let differences = self.compared.differences.iter();
        findings.extend(differences.map(ToString::to_string));
        findings
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let path = self.path.display().to_string();
        let path = printable(&path);
        let findings = self.findings();
        if findings.is_empty() {
            return self.sound(&path);
        }
        let found = count(number(findings.len()), "finding", "findings");
        let mut text = format!("The receipt {path} does not fit, {found}:\n");
        for finding in findings {
            let _ = writeln!(text, "  {}", printable(&finding));
        }
        text
    }

    fn sound(&self, path: &str) -> String {
        let mut text = format!("The receipt {path} is of this bag");
        if let Ok(receipt) = &self.receipt {
            let said = format!(
                ": the data of {} at {}, {}, closed {}, requested by {}",
                receipt.user,
                receipt.source.url,
                receipt.outcome,
                receipt.finished,
                receipt.requested_by
            );
            text.push_str(&printable(&said));
        }
        text.push_str(".\n");
        let signed = match &self.signature {
            Signature::Valid {
                key,
                trusted_comment,
            } => format!("It is signed with the key {key}: {trusted_comment}"),
            Signature::Unchecked { key } => format!(
                "Its signature, by the key {key}, was not checked: `--public-key KEY.pub` does that."
            ),
            Signature::Absent | Signature::Invalid { .. } => "It is not signed.".to_owned(),
        };
        let _ = writeln!(text, "{}", printable(&signed));
        if let Some(name) = &self.compared.renamed_from {
            let note = format!("When it was delivered, the bag was called {name}.");
            let _ = writeln!(text, "{}", printable(&note));
        }
        if !self.compared.whole_file {
            text.push_str(
                "The bag is unpacked: it was compared by its tag manifest, which covers every file.\n",
            );
        }
        text
    }
}

/// The same for programs.
#[derive(Serialize)]
pub(super) struct ReceiptJson<'a> {
    path: String,
    sound: bool,
    findings: Vec<String>,
    signature: &'a Signature,
    renamed_from: Option<&'a str>,
    whole_file: bool,
}

impl<'a> ReceiptJson<'a> {
    pub(super) fn of(check: &'a ReceiptCheck) -> Self {
        Self {
            path: check.path.display().to_string(),
            sound: check.is_sound(),
            findings: check.findings(),
            signature: &check.signature,
            renamed_from: check.compared.renamed_from.as_deref(),
            whole_file: check.compared.whole_file,
        }
    }
}
