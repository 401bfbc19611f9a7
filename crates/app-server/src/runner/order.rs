//! From what a caller asked for to what a run does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::jobs::Job;
use domain::model::{Order, SafeName, TicketPolicy, slug};
use domain::workflow::Limits;
use jiff::Timestamp;

/// Where a run's data comes from, and what makes it different from other runs.
pub(super) struct Circumstances<'a> {
    pub(super) source: &'a str,
    pub(super) began: Timestamp,
    pub(super) seed: u64,
    pub(super) names: &'a Names,
}

/// The names that bags were given in the current second.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<(Option<i64>, HashMap<String, u32>)>);

impl Names {
    /// How many have this name, with the one that asks.
    fn number(&self, name: &str, began: Timestamp) -> u32 {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = Some(began.as_second());
        if names.0 != second {
            *names = (second, HashMap::new());
        }
        let number = names.1.entry(name.to_owned()).or_default();
        *number += 1;
        *number
    }
}

/// The order of a job. Its bag is named as the command line names it: `uforge-<uid>-<YYYYMMDDThhmmssZ>`, with `-2`, `-3` … where
/// another bag has that.
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
        bag_name: bag_name(job, circumstances),
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
fn bag_name(job: &Job, circumstances: &Circumstances<'_>) -> SafeName {
    let user = slug(job.request.user.as_str());
    let time = circumstances.began.strftime("%Y%m%dT%H%M%SZ");
    let name = format!("uforge-{user}-{time}");
    let name = match circumstances.names.number(&name, circumstances.began) {
        1 => name,
        number => format!("{name}-{number}"),
    };
    SafeName::parse(&name).expect("made of safe parts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::jobs::{JobId, JobRequest};
    use domain::model::UserId;

    fn circumstances(began: Timestamp, names: &Names) -> Circumstances<'_> {
        Circumstances {
            source: "https://uforge.example.com/api",
            began,
            seed: 0,
            names,
        }
    }

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
            let names = Names::default();
            let name_of = |began| bag_name(&job, &circumstances(began, &names));
            assert_eq!(name_of(began).as_str(), name);
            // Another export of the same person begins in the same second, and one a second later.
            assert_eq!(name_of(began).as_str(), format!("{name}-2"));
            assert_eq!(name_of(began).as_str(), format!("{name}-3"));
            let later = began + jiff::SignedDuration::from_secs(1);
            assert_eq!(name_of(later).as_str(), name.replace("16Z", "17Z"));
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
                bag_name(
                    &job,
                    &circumstances(Timestamp::UNIX_EPOCH, &Names::default())
                )
                .as_str()
                .starts_with("uforge-")
            );
        }
    }
}
