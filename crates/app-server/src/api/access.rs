//! Who may fetch and delete an export, and try it again: its owner and, where it is one of a campaign, the administrator who ordered that.

use domain::jobs::{JobId, JobStoreError, StoredJob};

use super::service::Service;
use crate::auth::Caller;
use crate::problem::Problem;

/// An export that the caller may fetch, delete and try again. Somebody else's is not there for them; only other administrators, who see its
/// record, hear why.
pub(crate) async fn permitted(
    service: &Service,
    caller: &Caller,
    id: &JobId,
) -> Result<StoredJob, Problem> {
    match service.store.get(&caller.owner, id).await {
        // One question decides for everybody else: how long the answer takes must not say whether the export is there.
        Err(JobStoreError::Unknown { .. }) if caller.is_administrator() => {}
        other => return Ok(other?),
    }
    let stored = service.store.find(id).await?;
    let Some(campaign) = &stored.job.campaign else {
        return Err(Problem::UnknownExport);
    };
    if campaign.requested_by == caller.owner {
        Ok(stored)
    } else {
        Err(Problem::OthersExport)
    }
}
