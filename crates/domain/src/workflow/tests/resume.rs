//! Runs that end early, are resumed or abandoned.

use super::*;
use crate::bag::layout;
use crate::model::{ItemRef, Representation, Section, Ticket};
use crate::ports::{
    Fact, Journal, JournalError, JournalState, MockArchiveSink, MockJournal, SinkError,
};
use crate::testing::{Call, MemoryJournal, MemorySink, Script, appliance, mysoftware};
use crate::workflow::{Ports, RunError, abandon, export, record_answers};
use std::collections::BTreeSet;

#[test]
fn a_sink_that_is_not_durable_keeps_tickets_until_the_bag_is_finished() {
    let mut world = world(&[appliance(1), mysoftware(1)]);
    world.sink = MemorySink::streaming();
    world.complete();
    let calls = world.platform.calls();
    let first_delete = calls.iter().position(deletes).expect("a delete");
    assert!(
        calls[first_delete..].iter().all(deletes),
        "deleting is the very last thing"
    );
    assert_eq!(world.platform.tickets(), []);
}

/// An interrupted run had two tickets of one item. Only the one whose archive was taken was deleted.
#[test]
fn a_sink_that_is_not_durable_leaves_no_older_ticket_of_an_item() {
    let mut world = world(&[appliance(1)]);
    world.sink = MemorySink::streaming();
    for _ in 0..2 {
        let ticket = world.platform.foreign_ticket(appliance(1));
        let recorded = world.journal.record(Fact::Started { ticket });
        world.clock.run(recorded).expect("a journal");
    }
    world.complete();
    assert_eq!(world.platform.count(starts_of(appliance(1))), 0);
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_platform_that_goes_away_ends_the_run_and_the_next_one_goes_on() {
    let world = world(&[appliance(1), appliance(2)]);
    world
        .platform
        .script(20, downloads_of(appliance(2)), Script::Refuse(away()));
    assert!(matches!(world.export(), Err(RunError::Platform(_))));
    assert_eq!(world.journal.open_at_checkpoint(), vec![appliance(2)]);
    world.platform.script(0, |_| true, Script::LoseAnswer);
    let mut outcome = world.export();
    while outcome.is_err() {
        outcome = world.export();
    }
    assert_eq!(world.platform.count(starts_of(appliance(1))), 1);
    assert_eq!(
        world.platform.count(starts_of(appliance(2))),
        1,
        "its ticket is used again"
    );
    assert_eq!(world.platform.tickets(), []);
}

impl MemoryJournal {
    fn open_at_checkpoint(&self) -> Vec<ItemRef> {
        crate::ports::Journal::checkpoint(self)
            .open
            .into_iter()
            .map(|ticket: Ticket| ticket.item)
            .collect()
    }
}

/// Whoever looks for the sentence finds it, whether the run was given up in between or not.
#[test]
fn a_lost_start_is_said_in_the_same_words_when_a_run_is_given_up() {
    let item = mysoftware(1);
    let world = world(&[item]);
    let journal = Journal::record(&world.journal, Fact::Intent { item, at: None });
    world.clock.run(journal).expect("recorded");
    let abandoned = world.clock.run(abandon(world.ports(), BTreeSet::new()));
    let outcome = world.complete();
    let said: Vec<_> = abandoned
        .unresolved
        .iter()
        .map(|start| (start.item, start.note.clone()))
        .collect();
    let reported = outcome.report.notes.iter();
    let reported: Vec<_> = reported
        .filter(|note| note.contains("a start of mysoftware 1 was lost"))
        .map(|note| (item, note.clone()))
        .collect();
    assert_eq!(said, reported);
    assert_eq!(said.len(), 1);
}

#[test]
fn a_run_dropped_at_any_moment_is_resumed() {
    let items = [appliance(1), appliance(2), mysoftware(1)];
    let undisturbed = world(&items);
    undisturbed.complete();
    let expected: Vec<_> = undisturbed
        .sink
        .state()
        .entries
        .iter()
        .map(|(path, (_, bytes))| (path.clone(), bytes.clone()))
        .collect();
    for polls in 1.. {
        let world = world(&items);
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            assert!(polls > 100, "the loop went through the whole run");
            break;
        }
        world.complete();
        let found: Vec<_> = world
            .sink
            .state()
            .entries
            .iter()
            .map(|(path, (_, bytes))| (path.clone(), bytes.clone()))
            .collect();
        assert_eq!(found, expected, "dropped at poll {polls}");
        assert_eq!(
            world
                .platform
                .tickets()
                .into_iter()
                .filter(|t| t.item != mysoftware(1))
                .collect::<Vec<_>>(),
            [],
            "dropped at poll {polls}"
        );
        for item in items {
            assert!(
                world.platform.count(downloads_of(item)) <= 2,
                "dropped at poll {polls}"
            );
        }
    }
}

/// What the report says of a list is what the list in the bag says, and not what the platform says by now.
#[test]
fn a_list_that_changes_between_two_runs_is_reported_as_it_is_in_the_bag() {
    for polls in 1.. {
        let world = world(&[appliance(1)]);
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            assert!(polls > 50, "the loop went through the whole run");
            break;
        }
        let kept = layout::list_document(Section::Appliances, 1, Representation::Xml);
        let is_kept = world.sink.state().entries.contains_key(&kept);
        world.platform.add(FakeItem::new(appliance(2)));
        let report = world.complete().report;
        let section = report.sections.iter();
        let section = section.filter(|section| section.section == Section::Appliances);
        let found: Vec<_> = section.map(|of| (of.listed, of.recounted)).collect();
        let listed = if is_kept { 1 } else { 2 };
        assert_eq!(found, [(Some(listed), Some(2))], "dropped at poll {polls}");
    }
}

/// The second page is not asked for in vain on every list; of one that is in the bag nobody has to ask whether there is one.
#[test]
fn a_page_that_is_in_the_bag_counts_although_the_platform_has_it_no_more() {
    for polls in 1.. {
        let mut world = world(&[appliance(1), appliance(2), appliance(3)]);
        world.platform = world.platform.with_pages_of(2);
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            assert!(polls > 50, "the loop went through the whole run");
            break;
        }
        let kept = layout::list_document(Section::Appliances, 2, Representation::Xml);
        let is_kept = world.sink.state().entries.contains_key(&kept);
        world.platform.remove(appliance(3));
        let report = world.export().expect("a bag").report;
        let section = report.sections.iter();
        let section = section.filter(|section| section.section == Section::Appliances);
        let listed: Vec<_> = section.map(|of| of.listed).collect();
        let expected = if is_kept { 3 } else { 2 };
        assert_eq!(listed, [Some(expected)], "dropped at poll {polls}");
    }
}

#[test]
fn abandoning_takes_every_ticket_of_ours_and_no_other_off_the_server() {
    let items = [appliance(1), appliance(2), mysoftware(1)];
    for polls in (1..400).step_by(7) {
        let world = world(&items);
        let foreign = world.platform.foreign_ticket(appliance(2));
        let run = export(world.ports(), Box::new(world.sink.clone()), &world.order);
        if world.clock.run_for(polls, run).is_some() {
            break;
        }
        world.clock.run(abandon(world.ports(), BTreeSet::new()));
        let left: Vec<_> = world.platform.tickets();
        assert!(
            left.iter()
                .all(|t| *t == foreign || t.item == mysoftware(1)),
            "poll {polls}: {left:?}"
        );
    }
}

/// The list that could not be read was taken for an empty one.
#[test]
fn a_start_is_still_to_be_looked_for_where_the_list_could_not_be_read() {
    let item = appliance(1);
    let world = world(&[item]);
    for fact in [
        Fact::Foreign { tickets: vec![] },
        Fact::Intent { item, at: None },
    ] {
        let recorded = world.journal.record(fact);
        world.clock.run(recorded).expect("a journal");
    }
    world.platform.foreign_ticket(item);
    let lists = |call: &Call| *call == Call::OpenTickets;
    world.platform.script(1, lists, Script::Refuse(fault(503)));
    let abandoned = world.clock.run(abandon(world.ports(), BTreeSet::new()));
    let note = &abandoned.unresolved[0].note;
    assert!(note.contains("could not be read"), "{note}");
    assert!(abandoned.unresolved[0].may_be_found);
    assert_eq!(abandoned.still_open(&world.journal.checkpoint()), 1);
    let abandoned = world.clock.run(abandon(world.ports(), BTreeSet::new()));
    assert_eq!(abandoned.still_open(&world.journal.checkpoint()), 0);
    assert_eq!(world.platform.tickets(), []);
}

#[test]
fn a_full_disk_ends_the_run_and_deletes_nothing() {
    let world = world(&[appliance(1)]);
    let mut sink = MockArchiveSink::new();
    sink.expect_resumed_receipts().return_const(Vec::new());
    sink.expect_free_space().return_const(None);
    sink.expect_open_entry().returning(|_| {
        Err(SinkError::NoSpace {
            path: "/full/bag".into(),
            needed: None,
        })
    });
    sink.expect_finish().never();
    let error = world
        .clock
        .run(export(world.ports(), Box::new(sink), &world.order))
        .expect_err("no space");
    assert!(
        matches!(error, RunError::Sink(SinkError::NoSpace { .. })),
        "{error}"
    );
    assert_eq!(world.platform.count(deletes), 0);
}

#[test]
fn no_start_leaves_before_its_intent_is_recorded() {
    let world = world(&[appliance(1)]);
    let mut journal = MockJournal::new();
    journal
        .expect_checkpoint()
        .returning(crate::ports::JournalState::default);
    journal.expect_record().returning(|fact| match fact {
        Fact::Intent { .. } => Err(JournalError::Io {
            path: "/lost/journal".into(),
            source: std::io::Error::other("the mount is gone"),
        }),
        _ => Ok(()),
    });
    let ports = Ports {
        journal: &journal,
        ..world.ports()
    };
    let run = export(ports, Box::new(world.sink.clone()), &world.order);
    assert!(matches!(world.clock.run(run), Err(RunError::Journal(_))));
    assert_eq!(
        world.platform.count(|call| matches!(call, Call::Start(_))),
        0
    );
}

fn full_disk() -> JournalError {
    JournalError::Io {
        path: "journal".into(),
        source: std::io::Error::other("no space left"),
    }
}

#[test]
fn a_journal_that_cannot_be_written_stops_no_ticket_from_being_deleted() {
    let world = world(&[appliance(1), mysoftware(1)]);
    let recorded = world.platform.foreign_ticket(appliance(1));
    let answered = world.platform.foreign_ticket(mysoftware(1));
    let mut journal = MockJournal::new();
    journal.expect_checkpoint().returning(move || JournalState {
        open: [recorded].into(),
        ..JournalState::default()
    });
    journal.expect_record().returning(|_| Err(full_disk()));
    let ports = Ports {
        journal: &journal,
        ..world.ports()
    };
    let abandoned = world.clock.run(abandon(ports, [answered].into()));
    assert_eq!(abandoned.deleted.len(), 2, "{abandoned:?}");
    assert_eq!(world.platform.tickets(), []);
    assert_eq!(abandoned.still_open(&journal.checkpoint()), 0);
}

#[test]
fn an_answer_after_the_end_of_a_run_is_recorded_once_and_never_for_a_ticket_that_is_gone() {
    let world = world(&[appliance(1)]);
    let (late, gone) = (
        world.platform.foreign_ticket(appliance(1)),
        world.platform.foreign_ticket(appliance(1)),
    );
    for fact in [Fact::Started { ticket: gone }, Fact::Gone { ticket: gone }] {
        world
            .clock
            .run(world.journal.record(fact))
            .expect("a journal");
    }
    let record = record_answers(&world.platform, &world.journal, [late, gone].into());
    assert_eq!(world.clock.run(record), []);
    assert_eq!(world.journal.checkpoint().open, [late].into());
}

#[test]
fn an_answer_that_cannot_be_recorded_is_stopped_and_deleted_or_reported() {
    let world = world(&[appliance(1)]);
    let (late, stuck) = (
        world.platform.foreign_ticket(appliance(1)),
        world.platform.foreign_ticket(appliance(1)),
    );
    let mut journal = MockJournal::new();
    journal.expect_checkpoint().returning(JournalState::default);
    journal.expect_record().returning(|_| Err(full_disk()));
    let refused = move |call: &Call| *call == Call::Delete(stuck);
    world
        .platform
        .script(1, refused, Script::Refuse(fault(500)));
    let record = record_answers(&world.platform, &journal, [late, stuck].into());
    let left = world.clock.run(record);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, stuck);
    assert_eq!(world.platform.tickets(), [stuck]);
    let calls = world.platform.calls();
    assert_eq!(calls[..2], [Call::Cancel(late), Call::Delete(late)]);
}

fn exports_of(report: &crate::report::Report) -> &crate::report::SectionReport {
    let mut sections = report.sections.iter();
    let exports = sections.find(|section| section.section == Section::Exports);
    exports.expect("the section")
}

/// They were said to have vanished.
#[test]
fn that_tickets_of_an_interrupted_run_are_gone_is_no_news() {
    let mut world = world(&[appliance(1), appliance(2)]);
    world.platform = world.platform.with_exports_listed();
    let (ours, kept, theirs) = (
        world.platform.foreign_ticket(appliance(1)),
        world.platform.foreign_ticket(appliance(2)),
        world.platform.foreign_ticket(appliance(2)),
    );
    for fact in [
        Fact::Foreign {
            tickets: vec![theirs],
        },
        Fact::Started { ticket: ours },
        Fact::Started { ticket: kept },
        Fact::Gone { ticket: kept },
    ] {
        let recorded = world.journal.record(fact);
        world.clock.run(recorded).expect("a journal");
    }
    let report = world.complete().report;
    let exports = exports_of(&report);
    // The first is the list in the bag as the platform sent it.
    assert_eq!((exports.listed, exports.recounted), (Some(3), Some(1)));
    assert_eq!((exports.appeared.len(), exports.vanished.len()), (0, 0));
}

/// It was said to have appeared.
#[test]
fn a_ticket_that_a_run_leaves_is_no_export_of_the_person() {
    let mut world = world(&[appliance(1)]);
    world.platform = world.platform.with_exports_listed();
    let damaged = Script::Body(b"damaged".to_vec(), None);
    let downloads = downloads_of(appliance(1));
    world.platform.script(usize::MAX, downloads, damaged);
    let report = world.partial().report;
    assert_eq!(world.platform.tickets().len(), 1);
    let exports = exports_of(&report);
    assert_eq!((exports.listed, exports.recounted), (Some(0), Some(0)));
    assert_eq!(exports.appeared, [""; 0]);
}
