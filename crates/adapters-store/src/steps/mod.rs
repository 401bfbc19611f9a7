//! The steps of jobs and campaigns that read and then write, whatever the engine. Each is run in one transaction.
//!
//! `jobs` and `campaigns` decide; `rows` reads and writes. What an engine has of its own is its [`Transaction`] and its [`Dialect`].

mod campaigns;
mod jobs;
mod rows;

use async_trait::async_trait;
use domain::jobs::{CampaignStoreError, JobStoreError};
use jiff::Timestamp;

pub(crate) use campaigns::{create, decide, give_up, try_again};
pub(crate) use jobs::{Written, add_transfer, admit, leave, replace};

use crate::failure::{Engine, Failure};
use crate::rows::Columns;
use crate::statement::Statement;

/// What a step about jobs gives.
pub(crate) type StepResult<T, Tx> = Result<T, Failure<<Tx as Transaction>::Engine, JobStoreError>>;

/// What a step about campaigns gives.
pub(crate) type CampaignResult<T, Tx> =
    Result<T, Failure<<Tx as Transaction>::Engine, CampaignStoreError>>;

/// One transaction of an engine.
#[async_trait]
pub(crate) trait Transaction: Send {
    /// The engine.
    type Engine: Dialect;
    /// What it answers with.
    type Row: Columns + Send;

    /// The moment it is, by the store's clock.
    async fn now(&mut self) -> StepResult<Timestamp, Self>;

    /// Runs a statement. Gives the rows that it returns.
    async fn rows(&mut self, statement: Statement) -> StepResult<Vec<Self::Row>, Self>;
}

/// The statements that an engine has of its own. What is read to be changed stays as it is until the transaction ends: with locks, where
/// others write too.
pub(crate) trait Dialect: Engine {
    /// Lets orders be taken one after the other: shares are counted over all of them. Nothing where all that writes is.
    const LOCK_ORDERS: Option<&'static str>;
    /// `$1` a job.
    const JOB_TO_CHANGE: &'static str;
    /// `$1` a job, `$2` the token of its lease.
    const HELD_JOB: &'static str;
    /// `$1` and so on the columns of a job, as they are bound.
    const INSERT_JOB: &'static str;
    /// `$1` a campaign, `$2` a job or nothing, `$3` how many: failed jobs after that one, in the order of their ids, to be changed.
    const FAILED_TO_CHANGE: &'static str;
    /// `$1` a job: it has no slots any more, and waits for none. Nothing where slots are a process's own.
    const FREE_SLOTS: &'static [&'static str];
    /// `$1` a job: how far its runs are is forgotten. Nothing where that is a column of the job.
    const DELETE_PROGRESS: Option<&'static str>;
    /// `$1` a campaign: what is sealed for its administrator goes, unless a job of it is unfinished. Gives a row where there was something.
    const DELETE_ADMINISTRATORS: &'static str;

    /// `$1` a job: how far its runs are, and how often that was said.
    const PROGRESS: &'static str;
    /// Campaigns with unfinished jobs, and who asked for them.
    const UNFINISHED_CAMPAIGNS: &'static str;

    /// `$1` a campaign: decisions are made one after the other.
    const CAMPAIGN_TO_CHANGE: &'static str;
    /// `$1` a JSON list of pairs of an id and a login, `$2` what is ordered, `$3` when, `$4` the campaign, `$5` by whom.
    const INSERT_JOBS: &'static str;
    /// `$1` a campaign, `$2` when. Gives the ids.
    const CANCEL_UNBEGUN: &'static str;
    /// `$1` a campaign, `$2` by whom. Gives the ids and the owners.
    const WISH_CANCELLED: &'static str;
    /// `$1` a JSON list of jobs, `$2` when, `$3` what was done, `$4` by whom: entries in the audit trail, which is without gaps.
    const INSERT_ENTRIES: &'static str;
}
