//! The file of an export: its download, how to check it, and who has fetched it.

use domain::jobs::{DownloadRecord, Job, JobStateName};
use jiff::Timestamp;

use crate::page::text::{Moment, shown};
use crate::page::words::Words;
use crate::runner::RECEIPT_ENDING;

/// Downloads that are shown one by one.
const SHOWN: usize = 20;

/// A file that can be fetched, or could be.
pub(super) struct File {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) sha256: String,
    /// Where it is, for whoever may fetch it now.
    pub(super) download: Option<String>,
    pub(super) is_complete: bool,
}

/// The receipt of a file that is there, or was, for its owner.
pub(super) struct Receipt {
    pub(super) path: String,
    /// The name of the file that it is of.
    pub(super) of: String,
    pub(super) name: String,
    pub(super) signature: Option<String>,
}

impl Receipt {
    pub(super) fn of(job: &Job, is_own: bool) -> Option<Self> {
        let bag = &job.delivery().filter(|_| is_own)?.bag;
        let receipt = bag.receipt.as_ref()?;
        let path = format!("/api/v1/exports/{}/receipt", job.id);
        Some(Self {
            signature: receipt
                .signature
                .is_some()
                .then(|| format!("{path}.minisig")),
            path,
            of: bag.name.to_string(),
            name: format!("{}{RECEIPT_ENDING}", bag.name),
        })
    }
}

impl File {
    pub(super) fn of(words: &Words, job: &Job, now: Timestamp, is_own: bool) -> Option<Self> {
        let delivery = job.delivery()?;
        let is_there = job.state_at(now) == JobStateName::Ready;
        Some(Self {
            name: delivery.bag.name.to_string(),
            size: (words.size)(delivery.bag.bytes),
            sha256: delivery.bag.sha256.to_string(),
            download: (is_there && is_own).then(|| format!("/api/v1/exports/{}/archive", job.id)),
            is_complete: delivery.completeness == domain::report::Completeness::Complete,
        })
    }
}

/// Who has fetched it.
pub(super) struct Downloads {
    pub(super) rows: Vec<Row>,
    /// How many there were, where not all of them are shown.
    pub(super) total: String,
}

/// One download.
pub(super) struct Row {
    pub(super) at: Moment,
    pub(super) by: String,
    pub(super) from: String,
    pub(super) how_much: String,
}

impl Downloads {
    pub(super) fn of(words: &Words, job: &Job) -> Self {
        let latest = job.downloads.iter().rev().take(SHOWN);
        let rows: Vec<Row> = latest.map(|record| Row::of(words, record)).collect();
        let is_all = rows.len() as u64 == job.downloads_total;
        Self {
            rows,
            total: if is_all {
                String::new()
            } else {
                (words.downloads)(job.downloads_total)
            },
        }
    }
}

impl Row {
    fn of(words: &Words, record: &DownloadRecord) -> Self {
        let how_much = if record.complete {
            words.whole.to_owned()
        } else {
            format!("{} ({})", words.part, (words.size)(record.bytes))
        };
        Self {
            at: Moment::of(words, record.at),
            by: shown(record.by.as_str()),
            from: shown(&record.from),
            how_much,
        }
    }
}
