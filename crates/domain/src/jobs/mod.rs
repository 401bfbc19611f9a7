//! A job: one order given to the service, from the request to the record that outlives its archive.
//!
//! [`Job`] is a pure state machine. [`JobStore`] records jobs and says who runs which, [`RunStore`] opens their runs, [`BagStore`] keeps
//! their bags, [`CampaignStore`] campaigns of many jobs, [`Slots`] bound what runs on the platform, [`AuditLog`] keeps who did what,
//! [`IdempotencyKeys`] keep repeated orders apart from new ones, [`SealedCredentials`] what jobs that run unattended need.
//! [`RunRecords`] are for run stores that many workers share. With whose credentials a job is run is the
//! service's matter: neither readable credentials nor a running workflow are ever part of a job.

mod audit;
mod bags;
mod campaign;
mod campaign_id;
mod campaign_store;
mod credentials;
mod download;
mod id;
mod job;
mod keys;
mod lease;
mod records;
mod request;
mod runs;
mod slots;
mod state;
mod store;
mod version;

pub use crate::progress::{ActiveItem, Count, Phase, RunProgress as JobProgress};
#[cfg(any(test, feature = "testing"))]
pub use audit::MockAuditLog;
pub use audit::{
    AuditAction, AuditEntry, AuditError, AuditLog, AuditPage, NumberedEntry, TransferEntry,
};
#[cfg(any(test, feature = "testing"))]
pub use bags::MockBagStore;
pub use bags::{BagBody, BagStore, BagStoreError, KeptBag};
pub use campaign::{
    Audience, Campaign, CampaignOrder, CampaignPhase, CampaignStanding, CampaignState, Since,
};
pub use campaign_id::{CampaignId, CampaignMark};
#[cfg(any(test, feature = "testing"))]
pub use campaign_store::MockCampaignStore;
pub use campaign_store::{CampaignStore, CampaignStoreError};
#[cfg(any(test, feature = "testing"))]
pub use credentials::MockSealedCredentials;
pub use credentials::{SealedCredentials, SealedCredentialsError};
pub use download::{DownloadRecord, Transfer};
pub use id::{JobId, JobIdError};
pub use job::{Job, WrongState};
#[cfg(any(test, feature = "testing"))]
pub use keys::MockIdempotencyKeys;
pub use keys::{
    IdempotencyError, IdempotencyKey, IdempotencyKeyError, IdempotencyKeys, Reservation,
};
pub use lease::{Claim, Lease, Renewed, Token, TokenError, Wish, WorkerId};
#[cfg(any(test, feature = "testing"))]
pub use records::MockRunRecords;
pub use records::{RunRecord, RunRecords, RunRecordsError};
pub use request::JobRequest;
#[cfg(any(test, feature = "testing"))]
pub use runs::MockRunStore;
pub use runs::{OpenedRun, RunReport, RunSettings, RunStore, RunStoreError, RunWriter};
#[cfg(any(test, feature = "testing"))]
pub use slots::MockSlots;
pub use slots::{Freed, Slot, SlotRules, Slots, SlotsError};
pub use state::{BagRecord, Delivery, JobFailure, JobState, JobStateName, KeptReceipt, WaitingFor};
#[cfg(any(test, feature = "testing"))]
pub use store::MockJobStore;
pub use store::{
    Admitted, Change, ClaimLimits, Ending, JobPage, JobStore, JobStoreError, Pause, Shares,
    Standing, StoredJob, Whose,
};
pub use version::Version;
