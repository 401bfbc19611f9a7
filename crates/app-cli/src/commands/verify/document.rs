//! What a check found, for programs.

use std::path::Path;

use domain::bag::verify::{Drift, Finding, Importable};
use serde::Serialize;

use crate::compose::{StoredFormat, VerifyReport};

use super::against::Compared;
use super::receipt::{ReceiptCheck, ReceiptJson};

/// The document of `verify --json`.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    bag: String,
    sound: bool,
    format: StoredFormat,
    encrypted: bool,
    folder: Option<&'a str>,
    files: u64,
    bytes: u64,
    archives: u64,
    findings: &'a [Finding],
    /// Findings beyond those in the list.
    more_findings: u64,
    /// What a UForge will do with its appliances and software, by what is inside; null without `--deep`.
    import: Option<&'a [Importable]>,
    /// What holding it against its receipt came to; null where there is none.
    receipt: Option<ReceiptJson<'a>>,
    /// The comparison; null where none was made.
    against: Option<AgainstJson<'a>>,
}

#[derive(Serialize)]
struct AgainstJson<'a> {
    url: &'a str,
    user: &'a str,
    platform_version: Option<&'a str>,
    up_to_date: bool,
    #[serde(flatten)]
    drift: &'a Drift,
}

impl<'a> Document<'a> {
    pub(super) fn of(
        bag: &Path,
        report: &'a VerifyReport,
        receipt: Option<&'a ReceiptCheck>,
        compared: Option<Compared<'a>>,
    ) -> Self {
        let findings = &report.findings;
        Self {
            bag: bag.display().to_string(),
            sound: report.is_sound(),
            format: report.format,
            encrypted: report.encrypted,
            folder: report.folder.as_deref(),
            files: findings.payload_files,
            bytes: findings.payload_bytes,
            archives: report.archives,
            findings: &findings.list,
            more_findings: findings.unlisted,
            import: report.importable.as_deref(),
            receipt: receipt.map(ReceiptJson::of),
            against: compared.map(|(connection, compared)| AgainstJson {
                url: &connection.server.url,
                user: connection.user.as_str(),
                platform_version: compared.platform_version.as_deref(),
                up_to_date: compared.drift.is_up_to_date(),
                drift: &compared.drift,
            }),
        }
    }
}
