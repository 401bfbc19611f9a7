//! What an engine writes in its own way.

use crate::failure::Engine;

/// The statements that an engine has of its own. What is read to be changed stays as it is until the transaction ends: with locks, where
/// others write too.
pub(crate) trait Dialect: Engine {
    /// Admits orders one after the other, because shares are counted over all of them. `None` where all writes are made one after the
    /// other.
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

    /// The columns of an entry of the audit trail but its number, which is the next one. Gives the number.
    const APPEND_ENTRY: &'static str;
    /// `$1` a download. Adds its transfers one after the other. `None` where all writes are made one after the other.
    const LOCK_DOWNLOAD: Option<&'static str>;
    /// `$1` the number of an entry, `$2` when, `$3` from which byte, `$4` how many.
    const APPEND_TRANSFER: &'static str;
    /// `$1` a number, `$2` how many: entries before that one, with the bytes of their transfers as a floating-point `transferred`.
    const ENTRIES: &'static str;
}
