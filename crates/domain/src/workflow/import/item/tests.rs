//! One item, step by step.

use std::time::Duration;

use proptest::prelude::*;

use super::{Action, Item, Live, Seen};
use crate::model::{ImportId, ImportTicket, ItemKind, ObjectId};
use crate::ports::{ApiError, ExportStatus, ImportTicketFacts};
use crate::testing::{appliance, mysoftware};

const WAIT: Duration = Duration::from_mins(30);

fn ticket(kind: ItemKind, id: i64) -> ImportTicket {
    ImportTicket {
        kind,
        id: ImportId::try_from(id).unwrap(),
    }
}

fn lost() -> ApiError {
    ApiError::NoAnswer {
        request: "x".into(),
        sent: true,
        detail: "reset".into(),
    }
}

fn gone() -> ApiError {
    ApiError::NotFound {
        request: "x".into(),
        status: 404,
        message: None,
    }
}

/// An answer that fits the action, drawn by `choice`.
fn answer(action: Action, choice: u8, next: &mut i64) -> Option<Seen> {
    let object = ObjectId::try_from(7).ok();
    let status = |complete, error| ExportStatus {
        complete,
        error,
        ..ExportStatus::default()
    };
    let facts = |complete, error, uploaded| ImportTicketFacts {
        status: status(complete, error),
        uploaded: Some(uploaded),
        reference: None,
    };
    let error = if choice.is_multiple_of(2) {
        lost()
    } else {
        gone()
    };
    *next += 1;
    Some(match action {
        Action::Open if choice < 4 => Seen::Opened(ticket(ItemKind::Appliance, *next)),
        Action::Open => Seen::OpenFailed(error),
        Action::Find if choice < 3 => Seen::Opened(ticket(ItemKind::Appliance, *next)),
        Action::Find if choice < 6 => Seen::NothingFound,
        Action::Find => Seen::CannotFind,
        Action::Upload(_) if choice < 4 => Seen::Uploaded(status(choice == 0, choice == 1)),
        Action::Upload(_) => Seen::UploadFailed {
            error,
            sent: choice > 5,
        },
        Action::Poll(_) if choice < 5 => Seen::Status(status(choice < 2, choice == 2)),
        Action::Poll(_) => Seen::StatusFailed(error),
        Action::Read(_) if choice < 5 => Seen::Ticket(
            facts(choice < 2, choice == 2, choice == 3),
            object.filter(|_| choice == 0),
        ),
        Action::Read(_) => Seen::TicketFailed(error),
        Action::LookUp if choice < 2 => Seen::LookedUp(Live::There(object)),
        Action::LookUp if choice < 6 => Seen::LookedUp(Live::NotThere),
        Action::LookUp => Seen::LookUpFailed(error),
        Action::Delete(_) if choice < 5 => Seen::Deleted,
        Action::Delete(_) => Seen::DeleteFailed(error),
        Action::WaitUntil(_) | Action::Busy | Action::Finished => return None,
    })
}

proptest! {
    /// Whatever the platform answers: every item comes to an end, holds one ticket at most, and is sent again only after the list has
    /// shown that it is not there.
    #[test]
    fn every_item_ends_and_never_sends_blindly(choices in prop::collection::vec(0_u8..8, 1..40)) {
        let mut item = Item::new(appliance(1), 1, WAIT);
        let (mut elapsed, mut next) = (Duration::ZERO, 0);
        let (mut may_be_there, mut holds) = (false, None);
        let mut choices = choices.into_iter().cycle();
        for step in 0.. {
            prop_assert!(step < 20_000, "it does not end");
            let action = item.next(elapsed);
            match action {
                Action::Finished => break,
                Action::Busy => prop_assert!(false, "nothing is under way"),
                Action::WaitUntil(moment) => {
                    elapsed = moment;
                    continue;
                }
                Action::Open => prop_assert_eq!(holds, None),
                Action::Upload(_) => prop_assert!(!may_be_there, "sent twice"),
                Action::LookUp => may_be_there = false,
                _ => {}
            }
            item.began();
            let Some(seen) = answer(action, choices.next().unwrap_or_default(), &mut next) else {
                continue;
            };
            match &seen {
                Seen::Opened(ticket) => holds = Some(*ticket),
                Seen::Deleted => holds = None,
                Seen::Uploaded(_) | Seen::UploadFailed { sent: true, .. } => may_be_there = true,
                _ => {}
            }
            item.observe(seen, elapsed, Duration::ZERO);
            item.take_facts();
        }
        prop_assert!(item.has_ended());
        prop_assert!(item.imported().is_some() != item.failure().is_some() || item.imported().is_none());
        let is_open = item.failure().is_some_and(|failure| failure.message.contains("asks it again"));
        prop_assert!(holds.is_none() || item.undeleted().is_some() || is_open);
        prop_assert!(!is_open || item.imported().is_none());
    }
}

#[test]
fn a_software_ticket_that_is_given_up_is_recorded_and_never_deleted() {
    let mut item = Item::new(mysoftware(1), 1, WAIT);
    let software = ticket(ItemKind::MySoftware, 5);
    item.began();
    item.observe(Seen::Opened(software), Duration::ZERO, Duration::ZERO);
    item.began();
    let failed = ExportStatus {
        error: true,
        ..ExportStatus::default()
    };
    item.observe(Seen::Uploaded(failed), Duration::ZERO, Duration::ZERO);
    assert_eq!(item.next(Duration::ZERO), Action::Finished);
    let facts = item.take_facts();
    assert_eq!(
        facts,
        [crate::ports::ImportFact::GivenUp { ticket: software }]
    );
}
