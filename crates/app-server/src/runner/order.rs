//! From what a caller asked for to what a run does. The same job has the same order in every process that runs it.

use domain::jobs::{Job, JobId};
use domain::model::{Order, OutagePolicy, SafeName, Sha256, TicketPolicy, slug};
use domain::workflow::Limits;
use jiff::Timestamp;

/// The order of a job.
pub(super) fn order(job: &Job, source: &str, bag_name: SafeName) -> Order {
    let request = &job.request;
    Order {
        user: request.user.clone(),
        source: source.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        selection: request.selection.clone(),
        output_format: request.output_format,
        documents: request.documents,
        secrets: request.secrets,
        strictness: request.strictness,
        tickets: TicketPolicy::Delete,
        outage: OutagePolicy::EndRun,
        format: request.format,
        bag_name,
        notice: None,
        since: None,
        jobs: Limits::JOBS,
        downloads: Limits::DOWNLOADS,
        max_wait: Limits::MAX_WAIT,
        seed: seed(&job.id),
    }
}

/// Two jobs wait at different times, and one job is the same in every process.
fn seed(id: &JobId) -> u64 {
    let sum = Sha256::of(id.as_str().as_bytes());
    sum.as_bytes()
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed.rotate_left(8) ^ u64::from(*byte))
}

/// The name of a job's bag, as the command line names it: `uforge-<uid>-<YYYYMMDDThhmmssZ>`, with `-2`, `-3` … where an earlier bag of
/// the same owner has that. `others` are jobs of the owner.
#[expect(
    clippy::expect_used,
    reason = "a slug has at most 60 bytes of the alphabet, and all of it begins with `uforge-`"
)]
pub(super) fn bag_name<'a>(job: &Job, others: impl IntoIterator<Item = &'a Job>) -> SafeName {
    let plain = plain_name(job);
    let earlier = others
        .into_iter()
        .filter(|other| began(other) < began(job) && plain_name(other) == plain)
        .count();
    let name = match earlier {
        0 => plain,
        earlier => format!("{plain}-{}", earlier + 1),
    };
    SafeName::parse(&name).expect("made of safe parts")
}

/// The file of a bag of this name.
#[expect(
    clippy::expect_used,
    reason = "a bag's name is short, and an ending is safe"
)]
pub(super) fn file_name(job: &Job, bag_name: &SafeName) -> SafeName {
    let name = format!("{}.{}", bag_name.as_str(), job.request.format.ending());
    SafeName::parse(&name).expect("made of safe parts")
}

fn began(job: &Job) -> (Option<Timestamp>, &JobId) {
    (job.began, &job.id)
}

fn plain_name(job: &Job) -> String {
    let user = slug(job.request.user.as_str());
    let began = job.began.unwrap_or(job.requested);
    let time = began.strftime("%Y%m%dT%H%M%SZ");
    format!("uforge-{user}-{time}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::jobs::JobRequest;
    use domain::model::UserId;

    fn job(number: u32, login: &str, began: &str) -> Job {
        let user = UserId::parse(login).unwrap();
        let began: Timestamp = began.parse().unwrap();
        let mut job = Job::new(
            JobId::parse(&format!("018f3c5e-7b1a-7c3e-9d55-0a1b{number:08}")).unwrap(),
            user.clone(),
            JobRequest::everything_of(user),
            began,
        );
        job.begin(began).unwrap();
        job
    }

    #[test]
    fn a_bag_is_named_after_the_person_and_the_moment() {
        for (login, name) in [
            ("john", "uforge-john-20261124T023416Z"),
            ("Jürgen Groß", "uforge-jurgen-gross-20261124T023416Z"),
        ] {
            let first = job(1, login, "2026-11-24T02:34:16.5Z");
            assert_eq!(bag_name(&first, [&first]).as_str(), name);
            // Another export of the same person begins in the same second, and one a second later.
            let second = job(2, login, "2026-11-24T02:34:16.6Z");
            let third = job(3, login, "2026-11-24T02:34:16.6Z");
            let all = [&first, &second, &third];
            assert_eq!(bag_name(&first, all).as_str(), name);
            assert_eq!(bag_name(&second, all).as_str(), format!("{name}-2"));
            assert_eq!(bag_name(&third, all).as_str(), format!("{name}-3"));
            let later = job(4, login, "2026-11-24T02:34:17.5Z");
            assert_eq!(bag_name(&later, all).as_str(), name.replace("16Z", "17Z"));
        }
    }

    #[test]
    fn a_job_has_the_same_order_whenever_it_is_run() {
        let one = job(1, "john", "2026-11-24T02:34:16.5Z");
        let name = bag_name(&one, []);
        let order = |job| super::order(job, "https://uforge.example.com/api", name.clone());
        assert_eq!(order(&one).fingerprint(), order(&one).fingerprint());
        assert_eq!(order(&one).seed, order(&one).seed);
        let other = job(2, "john", "2026-11-24T02:34:16.5Z");
        assert_ne!(order(&one).seed, order(&other).seed);
    }

    #[test]
    fn no_login_makes_a_name_that_cannot_be() {
        for login in ["con", "..", "💥", &"a".repeat(256), &"ß".repeat(128)] {
            let job = job(1, login, "1970-01-01T00:00:00Z");
            let name = bag_name(&job, []);
            assert!(name.as_str().starts_with("uforge-"));
            let file = file_name(&job, &name).to_string();
            assert_eq!(file, format!("{name}.zip"));
        }
    }
}
