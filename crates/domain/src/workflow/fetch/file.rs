//! Small files: photos, logos, certificates.

use super::document::Fetch;
use crate::model::{BagPath, BinaryRef, Section, Sha256, UploadFacts};
use crate::ports::{Check, Receipt};
use crate::workflow::Limits;
use crate::workflow::attempt::{Failed, Problem};
use crate::workflow::context::RunError;
use crate::workflow::retry::{Jitter, Verdict, backoff, verdict};
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

    /// Fetches a photo, a logo or a certificate.
    pub(crate) async fn file(
        self,
        section: Section,
        binary: BinaryRef,
        facts: &UploadFacts,
        path_of: impl Fn(&str) -> BagPath,
    ) -> Result<Result<Receipt, FileFailure>, RunError> {
        let Some(sink) = self.sink else {
            return Ok(Err(FileFailure {
                message: "nothing is kept".to_owned(),
                http_status: None,
                attempts: 0,
            }));
        };
        if let Some(receipt) = self.kept_file(&path_of) {
            return Ok(Ok(receipt));
        }
        let mut jitter = Jitter::new(self.order.seed);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer = match self.ports.api.binary(binary).await {
                Ok(download) => {
                    fetch_file(
                        self.ports,
                        sink,
                        section,
                        download,
                        published(facts),
                        &path_of,
                    )
                    .await
                }
                Err(error) => Err(TransferFailure::Api(error, None)),
            };
            let (wait, message, http_status) = match answer {
                Ok(receipt) => return Ok(Ok(receipt)),
                Err(TransferFailure::Sink(error)) => return Err(error.into()),
                Err(TransferFailure::Damaged(failure)) => {
                    let again = attempts < Limits::DAMAGED_DOWNLOADS;
                    (
                        again.then(|| backoff(attempts, &mut jitter)),
                        failure.to_string(),
                        None,
                    )
                }
                Err(TransferFailure::Api(error, _)) => match verdict(&error, attempts, &mut jitter)
                {
                    Verdict::Again(wait) => (Some(wait), error.to_string(), error.http_status()),
                    Verdict::GiveUp => {
                        match (Failed { error, attempts })
                            .classify(self.ports, self.order)
                            .await
                        {
                            Problem::Fatal(fatal) => return Err(fatal),
                            Problem::Failure(Failed { error, .. }) => {
                                (None, error.to_string(), error.http_status())
                            }
                        }
                    }
                },
            };
            match wait {
                Some(wait) => self.ports.clock.sleep(wait).await,
                None => {
                    return Ok(Err(FileFailure {
                        message,
                        http_status,
                        attempts,
                    }));
                }
            }
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
