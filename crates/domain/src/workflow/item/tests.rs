//! Any order of answers.

use proptest::prelude::*;

use std::time::Duration;

use super::*;
use crate::model::{BagPath, ExportId, ItemRef, Section, Sha256, Ticket};
use crate::ports::{ApiError, CheckFailure, ExportState, ExportStatus, Origin, Receipt};
use crate::testing::{appliance, mysoftware};

fn ticket(id: i64) -> Ticket {
    Ticket {
        item: appliance(1),
        id: ExportId::try_from(id).expect("an id"),
    }
}

fn receipt() -> Receipt {
    Receipt {
        path: BagPath::parse("data/appliances/1-a/archive.tar.gz").expect("a path"),
        bytes: 1,
        sha256: Sha256::of(b"x"),
        media_type: "application/gzip".to_owned(),
        origin: Origin {
            section: Section::Appliances,
            source: "GET x".to_owned(),
            fetched: jiff::Timestamp::UNIX_EPOCH,
            item: Some(appliance(1)),
            ticket: Some(ticket(1)),
            redactions: Vec::new(),
        },
        durable: true,
    }
}

fn error(n: u8) -> ApiError {
    let request = "GET x".to_owned();
    match n % 9 {
        0 => ApiError::NotFound {
            request,
            status: 404,
            message: None,
        },
        1 => ApiError::ServerFault {
            request,
            status: 500,
            message: None,
        },
        2 => ApiError::Overloaded {
            request,
            status: 503,
            retry_after: None,
            proxy: None,
            message: None,
        },
        3 => ApiError::NoAnswer {
            request,
            sent: true,
            detail: "reset".to_owned(),
        },
        4 => ApiError::Refused {
            request,
            status: 409,
            message: None,
        },
        5 => ApiError::Interrupted {
            request,
            received: 5,
        },
        6 => ApiError::Forbidden {
            request,
            message: None,
        },
        7 => ApiError::Overloaded {
            request,
            status: 502,
            retry_after: None,
            proxy: None,
            message: None,
        },
        _ => ApiError::Unreadable {
            request,
            detail: "nonsense".to_owned(),
        },
    }
}

fn status(n: u8) -> ExportStatus {
    match n % 8 {
        0 | 1 => ExportStatus {
            complete: true,
            ..ExportStatus::default()
        },
        2 => ExportStatus {
            error: true,
            complete: true,
            ..ExportStatus::default()
        },
        3 => ExportStatus {
            cancelled: true,
            ..ExportStatus::default()
        },
        n => ExportStatus {
            percentage: Some(i64::from(n) * 20 - 90),
            ..ExportStatus::default()
        },
    }
}

/// What the world may answer to an action, drawn from two numbers.
fn answer(action: &Action, (kind, n): (u8, u8), next_ticket: &mut i64, at: Duration) -> Seen {
    match action {
        Action::Start if kind < 128 => {
            *next_ticket += 1;
            let (ticket, status) = (ticket(*next_ticket), status(n));
            Seen::Started { ticket, status, at }
        }
        Action::Start => Seen::StartFailed(error(n)),
        Action::FindTicket if kind < 100 => Seen::Found(Vec::new()),
        Action::FindTicket if kind < 200 => {
            *next_ticket += 1;
            Seen::Found(vec![ticket(*next_ticket)])
        }
        Action::FindTicket => Seen::CannotFind(Ambiguity::NoList),
        Action::Poll(_) if kind < 200 => Seen::Status(status(n)),
        Action::Poll(_) => Seen::StatusFailed(error(n)),
        Action::Download(_) if kind < 80 => Seen::Stored(receipt()),
        Action::Download(_) if kind < 160 => Seen::DownloadFailed(error(n)),
        Action::Download(_) => Seen::Damaged(CheckFailure::Damaged),
        Action::Cancel(_) if kind < 128 => Seen::Cancelled,
        Action::Cancel(_) => Seen::CancelFailed(error(n)),
        Action::Delete(ticket, _) if kind < 128 => Seen::Deleted(*ticket),
        Action::Delete(ticket, _) => Seen::DeleteFailed(*ticket, error(n)),
        Action::WaitUntil(_) | Action::Busy | Action::Finished => {
            panic!("nothing to answer to {action:?}")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the world answers, the machine ends; it never deletes a ticket whose archive could still be had and is not
    /// safe; and it ends with a receipt or with a reason.
    #[test]
    fn any_order_of_answers_ends_and_nothing_is_deleted_without_proof(
        answers in proptest::collection::vec((any::<u8>(), any::<u8>()), 60..61),
    ) {
        let mut item = Item::new(appliance(1), 1, Duration::from_mins(30), false);
        let mut elapsed = Duration::ZERO;
        let mut next_ticket = 0;
        let mut complete = std::collections::BTreeSet::new();
        let mut held = std::collections::BTreeSet::new();
        let mut turn = 0;
        loop {
            let action = item.next(elapsed);
            match &action {
                Action::Finished => break,
                Action::WaitUntil(moment) => {
                    prop_assert!(*moment > elapsed);
                    elapsed = *moment;
                    continue;
                }
                Action::Delete(ticket, Deletion::Empty | Deletion::GivenUp) => prop_assert!(!complete.contains(ticket), "{ticket} had an archive"),
                Action::Delete(ticket, Deletion::Replaced) => prop_assert!(
                    item.current_ticket() != Some(*ticket) && item.receipt().is_none()
                ),
                Action::Delete(_, Deletion::Safe(_)) => prop_assert!(item.receipt().is_some()),
                Action::Busy => prop_assert!(false, "busy with nothing under way"),
                _ => {}
            }
            let drawn = answers[turn % answers.len()];
            turn += 1;
            prop_assert!(turn < 200_000, "it never ends");
            item.began(elapsed);
            prop_assert_eq!(item.next(elapsed), Action::Busy);
            let seen = answer(&action, drawn, &mut next_ticket, elapsed);
            match &seen {
                Seen::Started { ticket, .. } | Seen::DeleteFailed(ticket, _) => {
                    held.insert(*ticket);
                }
                Seen::Found(tickets) => held.extend(tickets),
                Seen::Deleted(ticket) => {
                    held.remove(ticket);
                }
                _ => {}
            }
            if let (Action::Poll(ticket), Seen::Status(status)) = (&action, &seen) {
                match status.state() {
                    ExportState::Complete => drop(complete.insert(*ticket)),
                    ExportState::Error | ExportState::Cancelled => drop(complete.remove(ticket)),
                    ExportState::Running => {}
                }
            }
            if let Seen::Started { ticket, status, .. } = &seen && status.state() == ExportState::Complete {
                complete.insert(*ticket);
            }
            item.observe(seen, elapsed, Others::default());
        }
        prop_assert!(item.receipt().is_some() != item.failure().is_some());
        let undeletable = item.undeleted().len();
        prop_assert!(
            item.receipt().is_some() || held.len() <= undeletable + 1,
            "{held:?} are left, {undeletable} of them cannot be deleted"
        );
        for ticket in held {
            let undeleted = item.undeleted().iter().any(|(left, _)| *left == ticket);
            let is_named = item.failure().is_some_and(|failure| {
                let mut words = failure.message.split(|c: char| !c.is_ascii_digit());
                words.any(|word| word == ticket.id.to_string())
            });
            prop_assert!(undeleted || is_named, "nothing names {ticket:?}: {:?}", item.failure());
        }
    }
}

/// An item whose export stood still until it was given up, when that is answered so.
fn given_up(item: ItemRef, answer: impl Fn(Ticket) -> Seen) -> Action {
    let ticket = Ticket { item, ..ticket(1) };
    let mut machine = Item::new(item, 1, Duration::from_mins(30), false);
    machine.began(Duration::ZERO);
    let running = ExportStatus::default();
    machine.observe(
        Seen::Started {
            ticket,
            status: running.clone(),
            at: Duration::ZERO,
        },
        Duration::ZERO,
        Others::default(),
    );
    let mut elapsed = Duration::ZERO;
    loop {
        let seen = match machine.next(elapsed) {
            Action::WaitUntil(moment) => {
                elapsed = moment;
                continue;
            }
            Action::Poll(_) => Seen::Status(running.clone()),
            Action::Cancel(ticket) => answer(ticket),
            other => return other,
        };
        machine.began(elapsed);
        machine.observe(seen, elapsed, Others::default());
    }
}

/// A ticket that could not be stopped was deleted as one that has no archive.
#[test]
fn the_reason_of_a_deletion_is_true() {
    let refused = |_| Seen::CancelFailed(error(4));
    for (item, answer, why) in [
        (
            appliance(1),
            (|_| Seen::Cancelled) as fn(Ticket) -> Seen,
            Deletion::Empty,
        ),
        (appliance(1), refused, Deletion::GivenUp),
        (mysoftware(1), refused, Deletion::GivenUp),
    ] {
        let Action::Delete(_, reason) = given_up(item, answer) else {
            panic!("it is not deleted")
        };
        assert_eq!(reason, why);
    }
}

#[test]
fn a_start_that_may_not_be_sent_yet_keeps_its_place_and_costs_no_attempt() {
    let mut item = Item::new(appliance(1), 1, Duration::from_mins(30), false);
    for round in 0..100_u64 {
        let now = Duration::from_mins(round);
        assert_eq!(item.next(now), Action::Start);
        item.began(now);
        assert!(item.occupies_job() && !item.waits_for_slot());
        item.observe(Seen::NotYet, now, Others::default());
        assert!(item.occupies_job() && item.waits_for_slot());
        assert!(matches!(item.next(now), Action::WaitUntil(later) if later > now));
    }
    assert!(item.failure().is_none());
    assert_eq!(item.attempts(), 1, "none has failed");
}
