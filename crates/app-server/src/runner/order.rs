//! From what a caller asked for to what a run does.

use domain::jobs::Job;
use domain::model::{Order, SafeName, TicketPolicy, slug};
use domain::workflow::Limits;
use jiff::Timestamp;

/// Where a run's data comes from, and what tells it from the others.
pub(super) struct Circumstances<'a> {
    pub(super) source: &'a str,
    pub(super) began: Timestamp,
    pub(super) seed: u64,
}

/// The order of a job. Its bag is named as the command line names it: `uforge-<uid>-<YYYYMMDDThhmmssZ>`.
pub(super) fn order(job: &Job, circumstances: &Circumstances<'_>) -> Order {
    let request = &job.request;
    Order {
        user: request.user.clone(),
        source: circumstances.source.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        selection: request.selection.clone(),
        output_format: request.output_format,
        documents: request.documents,
        secrets: request.secrets,
        strictness: request.strictness,
        tickets: TicketPolicy::Delete,
        format: request.format,
        bag_name: bag_name(job, circumstances.began),
        notice: None,
        jobs: Limits::JOBS,
        downloads: Limits::DOWNLOADS,
        max_wait: Limits::MAX_WAIT,
        seed: circumstances.seed,
    }
}

#[expect(
    clippy::expect_used,
    reason = "a slug has at most 60 bytes of the alphabet, and all of it begins with `uforge-`"
)]
fn bag_name(job: &Job, began: Timestamp) -> SafeName {
    let user = slug(job.request.user.as_str());
    let time = began.strftime("%Y%m%dT%H%M%SZ");
    SafeName::parse(&format!("uforge-{user}-{time}")).expect("made of safe parts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::jobs::{JobId, JobRequest};
    use domain::model::UserId;

    #[test]
    fn a_bag_is_named_after_the_person_and_the_moment() {
        for (login, name) in [
            ("john", "uforge-john-20261124T023416Z"),
            ("Jürgen Groß", "uforge-jurgen-gross-20261124T023416Z"),
        ] {
            let user = UserId::parse(login).unwrap();
            let began: Timestamp = "2026-11-24T02:34:16.5Z".parse().unwrap();
            let job = Job::new(
                JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap(),
                user.clone(),
                JobRequest::everything_of(user),
                began,
            );
            assert_eq!(bag_name(&job, began).as_str(), name);
        }
    }

    #[test]
    fn no_login_makes_a_name_that_cannot_be() {
        for login in ["con", "..", "💥", &"a".repeat(256), &"ß".repeat(128)] {
            let user = UserId::parse(login).unwrap();
            let job = Job::new(
                JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap(),
                user.clone(),
                JobRequest::everything_of(user),
                Timestamp::MIN,
            );
            assert!(
                bag_name(&job, Timestamp::UNIX_EPOCH)
                    .as_str()
                    .starts_with("uforge-")
            );
        }
    }
}
