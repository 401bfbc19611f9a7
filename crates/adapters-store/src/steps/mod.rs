//! The steps of jobs and campaigns that read and then write, whatever the engine. Each is run in one transaction.
//!
//! `jobs` and `campaigns` decide; `rows` reads and writes.

mod campaigns;
mod jobs;
mod rows;

use domain::jobs::{CampaignStoreError, JobStoreError};

pub(crate) use campaigns::{create, decide, give_up, try_again};
pub(crate) use jobs::{Written, add_transfer, admit, leave, replace};

use crate::database::Transaction;
use crate::failure::Failure;

/// What a step about jobs gives.
pub(crate) type StepResult<T, Tx> = Result<T, Failure<<Tx as Transaction>::Engine, JobStoreError>>;

/// What a step about campaigns gives.
pub(crate) type CampaignResult<T, Tx> =
    Result<T, Failure<<Tx as Transaction>::Engine, CampaignStoreError>>;
