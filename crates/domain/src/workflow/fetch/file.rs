//! Small files: photos, logos, certificates.

use thiserror::Error;

use super::document::Fetch;
use crate::model::{BagPath, BinaryRef, Section, Sha256, UploadFacts};
use crate::ports::{ApiError, Check, CheckFailure, Receipt, SinkError};
use crate::workflow::Limits;
use crate::workflow::attempt::{Failed, Problem, attempt};
use crate::workflow::retry::{Jitter, Retriable, Verdict, backoff};
use crate::workflow::transfer::{TransferFailure, fetch_file};

/// Why a small file is not in the bag.
#[derive(Debug)]
pub(crate) struct FileFailure {
    pub(crate) message: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) attempts: u32,
}

impl Fetch<'_> {
    /// A file that an interrupted run stored. Its ending came from the server, so any ending counts.
    fn kept_file(&self, path_of: &impl Fn(&str) -> BagPath) -> Option<Receipt> {
        let probe = path_of("bin");
        let stem = probe.as_str().strip_suffix("bin").unwrap_or(probe.as_str());
        let is_it = |path: &BagPath| {
            path.as_str()
                .strip_prefix(stem)
                .is_some_and(|ending| !ending.contains(['/', '.']))
        };
        self.resumed
            .receipts
            .iter()
            .find(|(path, _)| is_it(path))
            .map(|(_, receipt)| receipt.clone())
    }

    /// Fetches a photo, a logo or a certificate; `what` names it in a report.
    pub(crate) async fn file(
        self,
        section: Section,
        binary: BinaryRef,
        what: &str,
        facts: &UploadFacts,
        path_of: impl Fn(&str) -> BagPath,
    ) -> Result<Receipt, Problem<FileFailure>> {
        let Some(sink) = self.sink else {
            return Err(Problem::Failure(FileFailure::of_no_sink()));
        };
        if let Some(receipt) = self.kept_file(&path_of) {
            return Ok(receipt);
        }
        let (ports, path_of) = (self.ports, &path_of);
        let fetched = attempt(ports, self.order.seed, what, || async move {
            let download = ports.api.binary(binary).await.map_err(FileError::Api)?;
            let check = published(facts);
            let fetched = fetch_file(ports, sink, section, download, check, path_of);
            fetched.await.map_err(FileError::from)
        });
        match fetched.await {
            Ok(receipt) => Ok(receipt),
            Err(failed) => Err(self.problem_of(failed).await),
        }
    }

    async fn problem_of(self, failed: Failed<FileError>) -> Problem<FileFailure> {
        let Failed { error, attempts } = failed;
        match error {
            FileError::Sink(error) => error.into(),
            FileError::Damaged(damage) => Problem::Failure(FileFailure {
                message: damage.to_string(),
                http_status: None,
                attempts,
            }),
            FileError::Api(error) => {
                let failed = Failed { error, attempts };
                match failed.classify(self.ports, self.order).await {
                    Problem::Fatal(fatal) => Problem::Fatal(fatal),
                    Problem::Failure(Failed { error, attempts }) => Problem::Failure(FileFailure {
                        message: error.to_string(),
                        http_status: error.http_status(),
                        attempts,
                    }),
                }
            }
        }
    }
}

impl FileFailure {
    fn of_no_sink() -> Self {
        Self {
            message: "nothing is kept".to_owned(),
            http_status: None,
            attempts: 0,
        }
    }
}

/// Why one attempt at a file failed.
#[derive(Debug, Error)]
enum FileError {
    #[error("{0}")]
    Api(ApiError),
    #[error("{0}")]
    Damaged(CheckFailure),
    #[error("{0}")]
    Sink(SinkError),
}

impl From<TransferFailure> for FileError {
    fn from(failure: TransferFailure) -> Self {
        match failure {
            TransferFailure::Api(error, _) => Self::Api(error),
            TransferFailure::Damaged(damage) => Self::Damaged(damage),
            TransferFailure::Sink(error) => Self::Sink(error),
        }
    }
}

impl Retriable for FileError {
    fn verdict(&self, attempt: u32, jitter: &mut Jitter) -> Verdict {
        match self {
            Self::Api(error) => error.verdict(attempt, jitter),
            Self::Damaged(_) if attempt < Limits::DAMAGED_DOWNLOADS => {
                Verdict::Again(backoff(attempt, jitter))
            }
            Self::Damaged(_) | Self::Sink(_) => Verdict::GiveUp,
        }
    }
}

fn published(facts: &UploadFacts) -> Check {
    let sha256 = facts
        .sha256
        .as_deref()
        .and_then(|sum| Sha256::parse(sum.trim()));
    match (facts.size.filter(|size| *size > 0), sha256) {
        (None, None) => Check::None,
        (size, sha256) => Check::Published { size, sha256 },
    }
}
