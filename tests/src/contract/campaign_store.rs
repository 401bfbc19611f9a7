//! The promises of [`CampaignStore`], and what claims make of campaigns. Each store is new; the jobs are in the same store.

use std::time::Duration;

use domain::jobs::{
    Audience, AuditAction, AuditLog, AuditPage, Campaign, CampaignId, CampaignOrder, CampaignPhase,
    CampaignState, CampaignStore, CampaignStoreError, Claim, ClaimLimits, JobId, JobRequest,
    JobState, JobStateName, JobStore, Shares, Whose, Wish,
};
use domain::model::UserId;
use domain::testing::ManualClock;
use jiff::Timestamp;

use super::campaign_retry::failed;
pub use super::campaign_retry::{
    failed_exports_are_tried_again, many_failed_exports_are_tried_again,
    what_was_given_up_is_not_tried_again,
};
use super::job_store::{ANY, PLENTY, claim, delivered, id, job, order, user};

const NO_CAMPAIGNS: ClaimLimits = ClaimLimits {
    campaigns: false,
    ..ANY
};

/// A store of campaigns and of their jobs.
pub trait Store: CampaignStore + JobStore {}

impl<T: CampaignStore + JobStore> Store for T {}

/// The campaign of this number.
pub(super) fn named(number: u64) -> CampaignId {
    CampaignId::from(id(900_000 + number))
}

/// A campaign for `people` people, whose jobs have numbers from `number` times a thousand.
pub(super) async fn ordered(
    store: &(impl CampaignStore + ?Sized),
    number: u64,
    people: u64,
) -> Campaign {
    let jobs = (0..people).map(|person| {
        let job = 1000 * number + person;
        (id(job), user(&format!("person{job}")))
    });
    let root = user("root");
    let campaign = Campaign {
        id: named(number),
        requested_by: root.clone(),
        requested: Timestamp::UNIX_EPOCH,
        order: CampaignOrder {
            audience: Audience::Users(people),
            request: JobRequest::everything_of(root),
            since: None,
        },
        state: CampaignState::Running,
        total: 0,
    };
    let created = store.create(campaign, jobs.collect()).await;
    created.expect("a campaign")
}

pub(super) async fn states(store: &dyn CampaignStore, number: u64) -> Vec<(JobStateName, u64)> {
    let standing = store.standing(&named(number)).await;
    standing.expect("a standing").counts
}

fn campaign_of(claim: &Claim) -> Option<CampaignId> {
    let mark = claim.job.campaign.as_ref();
    mark.map(|mark| mark.id.clone())
}

/// A campaign is recorded once, with one job for each person.
pub async fn a_campaign_is_recorded_with_its_jobs(store: &dyn Store, clock: &ManualClock) {
    let first = ordered(store, 1, 3).await;
    assert_eq!((first.total, first.state), (3, CampaignState::Running));
    clock.advance(Duration::from_secs(1));
    let again = ordered(store, 1, 7).await;
    assert_eq!(again, first, "the same campaign is not ordered twice");
    let kept = CampaignStore::get(store, &named(1)).await;
    assert_eq!(kept.expect("it"), first);
    assert_eq!(states(store, 1).await, [(JobStateName::Queued, 3)]);
    let stored = store.find(&id(1001)).await.expect("a job").job;
    assert_eq!(stored.owner, user("person1001"));
    assert_eq!(stored.request.user, user("person1001"));
    assert_eq!(stored.requested_by(), &user("root"));
    assert_eq!(stored.requested, first.requested);
    let unknown = CampaignStore::get(store, &named(9)).await;
    assert!(matches!(unknown, Err(CampaignStoreError::Unknown { .. })));
}

/// Campaigns are listed newest first, and their exports in pages.
pub async fn campaigns_and_exports_are_listed_in_pages(store: &dyn Store, clock: &ManualClock) {
    for number in 1..=3 {
        ordered(store, number, 3).await;
        clock.advance(Duration::from_secs(1));
    }
    let names = |campaigns: Vec<Campaign>| -> Vec<CampaignId> {
        campaigns.into_iter().map(|campaign| campaign.id).collect()
    };
    let page = CampaignStore::list(store, None, 2).await.expect("a page");
    assert_eq!(names(page), [named(3), named(2)]);
    let page = CampaignStore::list(store, Some(named(2)), 2).await;
    assert_eq!(names(page.expect("a page")), [named(1)]);
    let first = store.exports(&named(2), None, 2).await.expect("a page");
    let ids: Vec<&JobId> = first.iter().map(|stored| &stored.job.id).collect();
    assert_eq!(ids, [&id(2000), &id(2001)]);
    let rest = store.exports(&named(2), Some(id(2001)), 2).await;
    assert_eq!(rest.expect("a page").len(), 1);
}

/// People who ask for themselves go first, and a worker may leave campaigns out.
pub async fn who_asks_for_themselves_goes_first(store: &dyn Store, _: &ManualClock) {
    ordered(store, 1, 3).await;
    order(store, 1, "john").await;
    let none = store
        .claim(
            &domain::jobs::WorkerId::of("w"),
            super::job_store::TERM,
            NO_CAMPAIGNS,
        )
        .await
        .expect("a claim");
    assert_eq!(none.map(|claim| claim.job.id), Some(id(1)));
    let none = store
        .claim(
            &domain::jobs::WorkerId::of("w"),
            super::job_store::TERM,
            NO_CAMPAIGNS,
        )
        .await
        .expect("a claim");
    assert!(none.is_none(), "nothing but campaigns is left");
    // Their own export runs beside that of a campaign.
    let running = claim(store).await.expect("a job");
    order(store, 2, running.job.owner.as_str()).await;
    let own = claim(store).await.expect("a job");
    assert_eq!((own.job.id, own.job.campaign), (id(2), None));
}

/// The campaign with the fewest running jobs is next.
pub async fn campaigns_take_turns(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 5).await;
    clock.advance(Duration::from_secs(1));
    ordered(store, 2, 2).await;
    let mut turns = Vec::new();
    for _ in 0..5 {
        turns.extend(campaign_of(&claim(store).await.expect("a job")));
    }
    let expected = [1, 2, 1, 2, 1].map(named);
    assert_eq!(turns, expected);
}

/// Jobs of campaigns count nothing against a person's shares.
pub async fn campaigns_take_nothing_of_a_person_s_shares(store: &dyn Store, _: &ManualClock) {
    ordered(store, 1, 1).await;
    let run = claim(store).await.expect("a job");
    store
        .settle(&run.lease, delivered(), Vec::new())
        .await
        .expect("settled");
    ordered(store, 2, 40).await;
    let tight = Shares {
        unfinished: 1,
        unfinished_in_all: 1,
        orders_a_day: 1,
        archives: 1,
    };
    let person: &UserId = &run.job.owner;
    let own = job(1, person.as_str());
    store.admit(own, &tight).await.expect("within the shares");
    let limits = ClaimLimits {
        archives: 1,
        ..NO_CAMPAIGNS
    };
    let worker = domain::jobs::WorkerId::of("w");
    let next = store.claim(&worker, super::job_store::TERM, limits).await;
    assert_eq!(
        next.expect("a claim").map(|claim| claim.job.id),
        Some(id(1))
    );
    // The same order as that of a campaign is an order of its own.
    let mut same = job(2, "person2003");
    same.request = JobRequest::everything_of(user("person2003"));
    let admitted = store.admit(same, &PLENTY).await.expect("admitted");
    assert!(matches!(admitted, domain::jobs::Admitted::New(_)));
}

/// Of a paused campaign nothing new begins; what has begun goes on.
pub async fn a_pause_lets_what_runs_go_on(store: &dyn Store, _: &ManualClock) {
    ordered(store, 1, 3).await;
    let run = claim(store).await.expect("a job");
    let paused = CampaignStore::pause(store, &named(1))
        .await
        .expect("paused");
    assert_eq!(paused.state, CampaignState::Paused);
    assert!(claim(store).await.is_none());
    store.give_back(&run.lease).await.expect("given back");
    let again = claim(store).await.expect("what has begun");
    assert_eq!(again.job.id, run.job.id);
    store
        .settle(&again.lease, delivered(), Vec::new())
        .await
        .expect("settled");
    assert!(claim(store).await.is_none());
    store.resume(&named(1)).await.expect("resumed");
    assert!(claim(store).await.is_some());
}

/// A campaign that is given up leaves nothing that could begin, and keeps what is ready.
pub async fn a_campaign_is_given_up(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 4).await;
    let ready = claim(store).await.expect("a job");
    store
        .settle(&ready.lease, delivered(), Vec::new())
        .await
        .expect("settled");
    let running = claim(store).await.expect("a job");
    let begun = CampaignStore::cancel(store, &named(1), &user("root"))
        .await
        .expect("given up");
    assert_eq!(begun, [(running.job.id.clone(), running.job.owner.clone())]);
    assert_eq!(
        states(store, 1).await,
        [
            (JobStateName::Running, 1),
            (JobStateName::Ready, 1),
            (JobStateName::Cancelled, 2)
        ]
    );
    let wished = store.find(&running.job.id).await.expect("a job").job;
    assert_eq!(wished.wished_by, Some(user("root")));
    let renewed = store.renew(std::slice::from_ref(&running.lease), super::job_store::TERM);
    assert_eq!(renewed.await.expect("renewed")[0].wish, Some(Wish::Cancel));
    // Should its process die, whoever takes it over sees the wish.
    clock.advance(2 * super::job_store::TERM);
    let taken = claim(store).await.expect("taken over");
    assert_eq!(
        (taken.job.id.clone(), taken.wish),
        (running.job.id, Some(Wish::Cancel))
    );
    let ending = domain::jobs::Ending::Cancelled;
    store
        .settle(&taken.lease, ending, Vec::new())
        .await
        .expect("settled");
    assert!(claim(store).await.is_none());
    let again = CampaignStore::cancel(store, &named(1), &user("root"))
        .await
        .expect("once more");
    assert_eq!(again, []);
    for refused in [
        CampaignStore::pause(store, &named(1)).await,
        store.resume(&named(1)).await,
    ] {
        assert!(matches!(refused, Err(CampaignStoreError::Over { .. })));
    }
    let kept = store.find(&ready.job.id).await.expect("a job").job;
    assert!(matches!(kept.state, JobState::Ready { .. }));
}

/// A campaign is unfinished as long as one of its exports is.
pub async fn a_campaign_is_done_with_its_last_export(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 1).await;
    let open = CampaignStore::unfinished(store).await.expect("a list");
    assert_eq!(open, [(named(1), user("root"))]);
    assert_eq!(JobStore::unfinished(store).await.expect("a list"), []);
    let run = claim(store).await.expect("a job");
    store
        .settle(&run.lease, delivered(), Vec::new())
        .await
        .expect("settled");
    assert_eq!(CampaignStore::unfinished(store).await.expect("a list"), []);
    let standing = CampaignStore::standing(store, &named(1))
        .await
        .expect("a standing");
    let campaign = CampaignStore::get(store, &named(1)).await.expect("it");
    assert_eq!(campaign.phase(&standing), CampaignPhase::Done);
    assert_eq!(standing.first_began, run.job.began);
    clock.advance(Duration::from_hours(2));
    assert_eq!(states(store, 1).await, [(JobStateName::Expired, 1)]);
}

/// Whoever ordered a campaign wakes its jobs that wait for a sign-in.
pub async fn a_sign_in_wakes_the_jobs_of_a_campaign(store: &dyn Store, _: &ManualClock) {
    ordered(store, 1, 1).await;
    let run = claim(store).await.expect("a job");
    let pause = domain::jobs::Pause {
        waiting_for: domain::jobs::WaitingFor::SignIn,
        retry_after: None,
        give_up_after: Duration::from_hours(24),
    };
    let paused = JobStore::pause(store, &run.lease, pause, Vec::new()).await;
    paused.expect("paused");
    assert_eq!(
        store
            .signed_in(&Whose::Of(user("root")))
            .await
            .expect("woken"),
        1
    );
    assert!(claim(store).await.is_some());
}

/// What is to be given up of a campaign does not wait for an export that its person asked for.
pub async fn what_is_given_up_waits_for_nobody(store: &dyn Store, _: &ManualClock) {
    ordered(store, 1, 1).await;
    let run = claim(store).await.expect("a job");
    order(store, 1, run.job.owner.as_str()).await;
    let own = claim(store).await.expect("their own");
    assert_eq!(own.job.id, id(1));
    store.give_back(&run.lease).await.expect("given back");
    assert!(claim(store).await.is_none(), "not beside their own");
    let begun = CampaignStore::cancel(store, &named(1), &user("admin")).await;
    assert_eq!(begun.expect("given up").len(), 1);
    let again = claim(store).await.expect("what is given up");
    assert_eq!(again.job.id, run.job.id);
    assert_eq!(again.wish, Some(Wish::Cancel));
}

/// A job that waits for its time is next when that comes, before what has not begun; a campaign for many people is one step.
pub async fn what_was_begun_goes_before_what_is_new(store: &dyn Store, clock: &ManualClock) {
    ordered(store, 1, 900).await;
    let run = claim(store).await.expect("a job");
    let pause = domain::jobs::Pause {
        waiting_for: domain::jobs::WaitingFor::Platform,
        retry_after: Some(Duration::from_secs(5)),
        give_up_after: Duration::from_hours(24),
    };
    let paused = JobStore::pause(store, &run.lease, pause, Vec::new()).await;
    paused.expect("paused");
    let other = claim(store).await.expect("a new one").job;
    assert_ne!(other.id, run.job.id);
    clock.advance(Duration::from_secs(6));
    assert_eq!(claim(store).await.expect("the old one").job.id, run.job.id);
    let given_back = claim(store).await.expect("a new one");
    store
        .give_back(&given_back.lease)
        .await
        .expect("given back");
    let next = claim(store).await.expect("the same one").job.id;
    assert_eq!(next, given_back.job.id);
}

/// Each export of a campaign has its entries in the trail, which is without gaps: they name who ordered it, who had it tried again, and who
/// gave it up.
pub async fn entries_name_the_administrator(store: &dyn Store, trail: &dyn AuditLog) {
    ordered(store, 1, 3).await;
    let again = failed(store, Some(Duration::from_hours(1))).await;
    let retried = CampaignStore::retry(store, &named(1), &user("root")).await;
    assert_eq!(retried.expect("retried"), 1);
    let running = claim(store).await.expect("a job").job.id;
    assert_eq!(running, again);
    CampaignStore::cancel(store, &named(1), &user("other"))
        .await
        .expect("given up");
    let page = AuditPage {
        before: None,
        limit: 10,
    };
    let entries = trail.page(page).await.expect("a page");
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    for numbered in entries {
        let entry = numbered.entry;
        let is_of_running = entry.export.as_ref() == Some(&running);
        let (action, actor) = match numbered.number {
            ..=3 => (AuditAction::ExportRequested, "root"),
            4 => (AuditAction::ExportRetried, "root"),
            _ => (AuditAction::ExportCancelled, "other"),
        };
        match action {
            AuditAction::ExportRetried => assert!(is_of_running),
            AuditAction::ExportCancelled => assert!(!is_of_running),
            _ => {}
        }
        assert_eq!((entry.action, entry.actor), (action, Some(user(actor))));
        let export = entry.export.expect("an export");
        let job = store.find(&export).await.expect("a job").job;
        assert_eq!(entry.subject, Some(job.owner));
    }
}

/// Every promise of the suite, each given to the macro of this name.
#[macro_export]
macro_rules! campaign_store_promises {
    ($run:ident) => {
        $run! {
            a_campaign_is_recorded_with_its_jobs
            campaigns_and_exports_are_listed_in_pages
            who_asks_for_themselves_goes_first
            campaigns_take_turns
            campaigns_take_nothing_of_a_person_s_shares
            a_pause_lets_what_runs_go_on
            a_campaign_is_given_up
            what_is_given_up_waits_for_nobody
            what_was_begun_goes_before_what_is_new
            failed_exports_are_tried_again
            many_failed_exports_are_tried_again
            what_was_given_up_is_not_tried_again
            a_campaign_is_done_with_its_last_export
            a_sign_in_wakes_the_jobs_of_a_campaign
        }
    };
}
