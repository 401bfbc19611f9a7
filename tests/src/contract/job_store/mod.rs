//! The promises of [`JobStore`]. Each store is new, and its clock is the one that is given.

mod claims;
mod records;
mod shares;
mod waits;

use std::time::Duration;

use bytes::Bytes;
use domain::jobs::{
    Admitted, BagRecord, Claim, ClaimLimits, Delivery, Ending, Job, JobFailure, JobId, JobRequest,
    JobStateName, JobStore, KeptReceipt, Pause, Shares, StoredJob, WaitingFor, WorkerId,
};
use domain::model::{BagFormat, SafeName, Sha256, UserId};
use domain::report::Completeness;
use jiff::Timestamp;

pub use claims::{
    a_late_end_races_the_takeover, a_lease_that_ran_out_is_taken_over, each_job_is_claimed_once,
    only_a_lease_that_ran_out_is_taken_over_by_a_full_worker, owners_take_turns,
    progress_is_recorded, what_is_given_back_is_no_death,
};
pub use records::{
    a_job_comes_back_to_its_owner_only, a_late_update_changes_nothing, a_report_is_read_by_itself,
    changes_are_heard_or_resynced, every_state_comes_back, lists_are_newest_first,
    transfers_are_never_lost_to_an_update,
};
pub use shares::{
    a_job_waits_while_enough_archives_are_kept, archives_are_counted_and_named,
    shares_are_never_exceeded, the_same_order_twice_is_one_job,
};
pub use waits::{
    a_sign_in_wakes_the_owner_s_jobs, a_waiting_job_waits_for_its_time, a_wish_reaches_the_holder,
};

/// How long a lease is held.
pub const TERM: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Any job that is next.
pub const ANY: ClaimLimits = ClaimLimits {
    archives: usize::MAX,
    campaigns: true,
};

/// Shares that nobody reaches.
pub const PLENTY: Shares = Shares {
    unfinished: 1000,
    unfinished_in_all: 1000,
    orders_a_day: 1000,
    archives: 1000,
};

/// A person.
pub fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a login")
}

/// The job of this number.
pub fn id(number: u64) -> JobId {
    JobId::parse(&format!("018f3c5e-7b1a-7c3e-9d55-{number:012x}")).expect("an id")
}

fn worker() -> WorkerId {
    WorkerId::of("worker")
}

/// A job for data that no other number asks for.
pub fn job(number: u64, owner: &str) -> Job {
    let request = JobRequest::everything_of(user(&format!("person{number}")));
    Job::new(id(number), user(owner), request, Timestamp::UNIX_EPOCH)
}

/// Orders a job.
pub async fn order(store: &dyn JobStore, number: u64, owner: &str) -> StoredJob {
    match store.admit(job(number, owner), &PLENTY).await {
        Ok(Admitted::New(stored)) => stored,
        other => panic!("{other:?}"),
    }
}

/// Claims the job that is next.
pub async fn claim(store: &dyn JobStore) -> Option<Claim> {
    store.claim(&worker(), TERM, ANY).await.expect("a claim")
}

async fn claim_one(store: &dyn JobStore) -> Claim {
    claim(store).await.expect("a job is next")
}

/// An ending with a bag, kept for an hour.
pub fn delivered() -> Ending {
    let delivery = Delivery {
        ready: Timestamp::UNIX_EPOCH,
        bag: BagRecord {
            name: SafeName::parse("uforge-john.zip").expect("a name"),
            format: BagFormat::Zip,
            bytes: 10,
            sha256: Sha256::of(b"0123456789"),
            receipt: Some(Box::new(KeptReceipt {
                document: "{\"user\": \"näme\"}\n".to_owned(),
                signature: Some("untrusted comment: x\n".to_owned()),
            })),
        },
        completeness: Completeness::Partial,
    };
    Ending::Delivered {
        delivery,
        report: Bytes::from_static(b"{}"),
        keep: HOUR,
    }
}

fn failed(resumable_for: Option<Duration>) -> Ending {
    let failure = JobFailure {
        message: "the platform is away".to_owned(),
        hint: Some("try again".to_owned()),
    };
    Ending::Failed(failure, resumable_for)
}

fn pause(waiting_for: WaitingFor, retry_after: Option<Duration>) -> Pause {
    Pause {
        waiting_for,
        retry_after,
        give_up_after: DAY,
    }
}

async fn state(store: &dyn JobStore, number: u64) -> JobStateName {
    let stored = store.find(&id(number)).await.expect("a job");
    stored.job.state.name()
}

/// Every promise of the suite, each given to the macro of this name.
#[macro_export]
macro_rules! job_store_promises {
    ($run:ident) => {
        $run! {
            a_job_comes_back_to_its_owner_only
            every_state_comes_back
            the_same_order_twice_is_one_job
            shares_are_never_exceeded
            archives_are_counted_and_named
            a_job_waits_while_enough_archives_are_kept
            a_report_is_read_by_itself
            lists_are_newest_first
            a_late_update_changes_nothing
            transfers_are_never_lost_to_an_update
            each_job_is_claimed_once
            owners_take_turns
            a_lease_that_ran_out_is_taken_over
            only_a_lease_that_ran_out_is_taken_over_by_a_full_worker
            a_late_end_races_the_takeover
            what_is_given_back_is_no_death
            a_waiting_job_waits_for_its_time
            a_sign_in_wakes_the_owner_s_jobs
            a_wish_reaches_the_holder
            progress_is_recorded
            changes_are_heard_or_resynced
        }
    };
}
