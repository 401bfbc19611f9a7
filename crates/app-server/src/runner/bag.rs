//! A job's bag: its name, the space for it, and the store that takes it over.

use std::sync::Arc;

use domain::bag::receipt::{BagReceipt, ReceivedFile};
use domain::jobs::{
    BagRecord, Claim, Delivery, Ending, Job, JobId, JobPage, JobStateName, KeptReceipt, Whose,
};
use domain::model::SafeName;
use jiff::Timestamp;

use super::context::Context;
use super::order::{bag_name, file_name};
use super::terms::Terms;
use crate::backend::{EarlierExport, Exported, Setback, no_space, setback_of_runs, store_away};
use crate::causes::Causes;

/// Earlier jobs of an owner among which one with the same bag's name is looked for. More do not begin in one second.
const NAMESAKES: usize = 5;

/// A person's latest jobs among which one with a bag is looked for.
const EARLIER: usize = 50;

/// A run's own names.
pub(super) struct Place {
    pub(super) bag: SafeName,
    pub(super) file: SafeName,
}

impl Context {
    /// Where a job's run is. It is the same each time that the job is run: an unfinished run lies under this name.
    pub(super) async fn place(&self, job: &Job) -> Result<Place, Setback> {
        let page = JobPage {
            after: Some(job.id.clone()),
            limit: NAMESAKES,
        };
        let whose = Whose::Of(job.owner.clone());
        let others = self.ports.store.list(&whose, page);
        let others = others.await.map_err(|error| store_away(&error))?;
        let bag = bag_name(job, others.iter().map(|stored| &stored.job));
        let file = file_name(job, &bag);
        Ok(Place { bag, file })
    }

    /// The last bag of the same person that was ready before a job began, where its campaign wants archives taken from it. It is the same
    /// one each time that the job is run, as long as it is kept.
    pub(super) async fn earlier(&self, job: &Job) -> Option<EarlierExport> {
        let campaign = self.ports.campaigns.get(&job.campaign.as_ref()?.id).await;
        campaign.ok()?.order.since?;
        let page = JobPage {
            after: None,
            limit: EARLIER,
        };
        let whose = Whose::Of(job.owner.clone());
        let theirs = self.ports.store.list(&whose, page);
        let theirs = theirs.await.ok()?;
        let now = self.ports.clock.now();
        let ready = theirs.into_iter().map(|stored| stored.job).filter(|other| {
            let is_theirs = other.id != job.id && other.request.user == job.request.user;
            is_theirs && other.state_at(now) == JobStateName::Ready
        });
        let bags = ready.filter_map(|other| Some((other.id.clone(), other.delivery()?.clone())));
        let began = job.began.unwrap_or(now);
        let before = bags.filter(|(_, delivery)| delivery.ready <= began);
        let (id, delivery) = before.max_by_key(|(_, delivery)| delivery.ready)?;
        Some(EarlierExport {
            id,
            name: delivery.bag.name,
            bytes: delivery.bag.bytes,
            bags: Arc::clone(&self.ports.bags),
        })
    }

    /// What a run needs on disk before it begins.
    pub(super) async fn lack_of_space(&self) -> Option<Setback> {
        let bags = &self.ports.bags;
        let free = bags.free_space().await.unwrap_or_default();
        if free.is_some_and(|free| free < Terms::FREE_BYTES) {
            return Some(no_space());
        }
        if self.is_over_limit().await {
            return Some(no_space());
        }
        None
    }

    /// Whether all jobs together take as much of the disk as they may.
    pub(super) async fn is_over_limit(&self) -> bool {
        let Some(limit) = self.terms.store_limit else {
            return false;
        };
        match self.ports.bags.used_bytes().await {
            Ok(used) => used >= limit,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "the store could not be measured");
                false
            }
        }
    }

    /// Whether one job takes by itself all that the service may store: it would wait for ever, and keep others from beginning.
    pub(super) async fn is_too_large(&self, id: &JobId) -> bool {
        let Some(limit) = self.terms.store_limit else {
            return false;
        };
        let used = self.ports.bags.used_bytes_of(id).await;
        used.is_ok_and(|used| used >= limit)
    }

    /// The bag of a run that was killed when the store had it already.
    pub(super) async fn recover(
        &self,
        claim: &Claim,
        place: &Place,
    ) -> Result<Option<Ending>, Setback> {
        let (runs, lease) = (&self.ports.runs, &claim.lease);
        let is_kept = runs.is_kept(lease, &place.file).await;
        if !is_kept.map_err(|error| setback_of_runs(&error))? {
            return Ok(None);
        }
        let report = runs.report(lease, &place.file).await;
        let report = report.map_err(|error| setback_of_runs(&error))?;
        let exported = Exported::of_report(place.file.clone(), report);
        tracing::info!(job = %claim.job.id, "the bag of a run that was killed is complete");
        self.keep(claim, exported).await.map(Some)
    }

    pub(super) async fn keep(&self, claim: &Claim, exported: Exported) -> Result<Ending, Setback> {
        let kept = self.ports.runs.keep(&claim.lease, &exported.name).await;
        let kept = kept.map_err(|error| setback_of_runs(&error))?;
        let receipt = exported.delivered.map(|delivered| {
            let file = ReceivedFile {
                name: Some(exported.name.to_string()),
                bytes: kept.bytes,
                sha256: kept.sha256,
            };
            Box::new(self.receipt(&BagReceipt::new(file, delivered, claim.job.requested_by())))
        });
        Ok(Ending::Delivered {
            delivery: Delivery {
                ready: self.ports.clock.now(),
                bag: BagRecord {
                    name: exported.name,
                    format: claim.job.request.format,
                    bytes: kept.bytes,
                    sha256: kept.sha256,
                    receipt,
                },
                completeness: exported.completeness,
            },
            report: exported.report,
            keep: self.terms.keep_archive,
        })
    }

    /// The receipt as it is kept. One that cannot be signed is kept all the same.
    fn receipt(&self, receipt: &BagReceipt) -> KeptReceipt {
        let document = receipt.to_json();
        let name = receipt.bag.name.as_deref().unwrap_or_default();
        let closed = receipt.finished.parse::<Timestamp>();
        let closed = closed.map_or(0, Timestamp::as_second);
        let comment = format!("timestamp:{closed}\tfile:{name}{RECEIPT_ENDING}\thashed");
        let signed = self.ports.signer.as_ref();
        let signed = signed.and_then(|signer| match signer.sign(&document, &comment) {
            Ok(signature) => Some(signature),
            Err(error) => {
                tracing::error!(error = %Causes(&error), "a receipt could not be signed");
                None
            }
        });
        KeptReceipt {
            document: String::from_utf8_lossy(&document).into_owned(),
            signature: signed,
        }
    }
}

/// What the name of a receipt adds to that of its bag.
pub(crate) const RECEIPT_ENDING: &str = ".receipt.json";
