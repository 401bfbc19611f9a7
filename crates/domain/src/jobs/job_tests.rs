//! A job takes its steps in order.

use super::*;
use crate::jobs::BagRecord;
use crate::model::{BagFormat, SafeName, Sha256};
use crate::report::Completeness;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn job() -> Job {
    let john = UserId::parse("john").unwrap();
    Job::new(
        JobId::parse("018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f").unwrap(),
        john.clone(),
        JobRequest::everything_of(john),
        at("2026-01-31T10:00:00Z"),
    )
}

fn delivery(ready: &str) -> Delivery {
    Delivery {
        ready: at(ready),
        bag: BagRecord {
            name: SafeName::parse("uforge-john.zip").unwrap(),
            format: BagFormat::Zip,
            bytes: 3,
            sha256: Sha256::of(b"bag"),
            receipt: None,
        },
        completeness: Completeness::Complete,
    }
}

fn ready() -> Job {
    let mut job = job();
    job.begin(at("2026-01-31T10:00:01Z")).unwrap();
    job.deliver(delivery("2026-01-31T11:00:00Z"), Duration::from_hours(168))
        .unwrap();
    job
}

#[test]
fn an_answer_is_due_one_calendar_month_after_the_request() {
    assert_eq!(job().due(), at("2026-02-28T10:00:00Z"));
    let mut july = job();
    july.requested = at("2026-07-15T23:59:59Z");
    assert_eq!(july.due(), at("2026-08-15T23:59:59Z"));
}

#[test]
fn a_bag_expires_when_its_time_has_come_and_not_before() {
    let mut job = ready();
    assert_eq!(job.expires(), Some(at("2026-02-07T11:00:00Z")));
    assert!(job.expire(at("2026-02-07T10:59:59Z")).is_err());
    job.expire(at("2026-02-07T11:00:00Z")).unwrap();
    assert_eq!(job.state.name(), JobStateName::Expired);
}

#[test]
fn the_record_outlives_its_bag() {
    for end in [
        |job: &mut Job| job.delete_bag(at("2026-02-01T00:00:00Z")),
        |job: &mut Job| job.expire(at("2026-03-01T00:00:00Z")),
    ] {
        let mut job = ready();
        let before = job.delivery().cloned();
        end(&mut job).unwrap();
        assert_eq!(job.delivery().cloned(), before);
        assert_eq!(job.expires(), None);
    }
}

#[test]
fn what_is_over_stays_over() {
    let now = at("2026-03-01T00:00:00Z");
    let failure = JobFailure {
        message: "no".to_owned(),
        hint: None,
    };
    let ends: [fn(&mut Job, Timestamp); 3] = [
        |job, now| job.cancel(now).unwrap(),
        |job, now| {
            let failure = JobFailure {
                message: "no".to_owned(),
                hint: None,
            };
            job.fail(failure, now, None).unwrap();
        },
        |job, now| {
            job.begin(now).unwrap();
            job.deliver(delivery("2026-02-01T00:00:00Z"), Duration::ZERO)
                .unwrap();
            job.expire(now).unwrap();
        },
    ];
    for end in ends {
        let mut job = job();
        end(&mut job, now);
        let over = job.clone();
        assert!(job.begin(now).is_err());
        assert!(job.cancel(now).is_err());
        assert!(job.fail(failure.clone(), now, None).is_err());
        assert!(job.expire(now).is_err());
        assert!(job.delete_bag(now).is_err());
        assert!(
            job.deliver(delivery("2026-03-01T00:00:00Z"), Duration::ZERO)
                .is_err()
        );
        assert_eq!(job, over);
    }
}

#[test]
fn a_step_out_of_order_is_named() {
    let error = ready().begin(at("2026-03-01T00:00:00Z")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "job `018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f` cannot begin: it is ready"
    );
}

#[test]
fn a_bag_whose_time_is_over_is_gone_for_everyone_at_that_moment() {
    let job = ready();
    assert_eq!(
        job.state_at(at("2026-02-07T10:59:59Z")),
        JobStateName::Ready
    );
    assert_eq!(
        job.state_at(at("2026-02-07T11:00:00Z")),
        JobStateName::Expired
    );
}

#[test]
fn waiting_ends_a_day_after_it_began_however_often_it_was_tried() {
    let mut job = job();
    let day = Duration::from_hours(24);
    for hour in 10..13 {
        let now = at(&format!("2026-01-31T{hour}:00:00Z"));
        job.begin(now).unwrap();
        job.pause(WaitingFor::Platform, Some(now), now, day)
            .unwrap();
    }
    let JobState::Waiting { give_up, .. } = job.state else {
        panic!("{:?}", job.state);
    };
    assert_eq!(give_up, at("2026-02-01T10:00:00Z"));
    assert_eq!(job.began, Some(at("2026-01-31T10:00:00Z")));
}

#[test]
fn a_failed_job_goes_on_only_while_its_run_is_kept() {
    let failure = JobFailure {
        message: "no".to_owned(),
        hint: None,
    };
    let mut job = job();
    let hour = Duration::from_hours(1);
    job.fail(failure, at("2026-01-31T10:00:00Z"), Some(hour))
        .unwrap();
    assert!(job.clone().retry(at("2026-01-31T10:59:59Z")).is_ok());
    assert!(job.retry(at("2026-01-31T11:00:00Z")).is_err());
    job.forget_run().unwrap();
    assert!(job.retry(at("2026-01-31T10:30:00Z")).is_err());
}

fn transfer(second: i64, by: &str, offset: u64, bytes: u64) -> Transfer {
    Transfer {
        at: Timestamp::from_second(second).unwrap(),
        by: UserId::parse(by).unwrap(),
        from: "192.0.2.7".to_owned(),
        offset,
        bytes,
        size: 100,
    }
}

#[test]
fn small_parts_never_push_a_whole_download_out_of_the_record() {
    let mut job = ready();
    job.record_transfer(&transfer(1, "john", 0, 100));
    for number in 0..500 {
        job.record_transfer(&transfer(10_000 * (number + 1), "mary", 3, 1));
    }
    assert_eq!(job.downloads.len(), Job::DOWNLOADS_KEPT);
    assert!(job.downloads[0].complete);
    assert_eq!(job.downloads_total, 501);
}
