//! The order of starts, how soon a slot is used again, and how often the platform is asked meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::model::Ticket;
use crate::ports::{Clock as _, Fact, Journal, JournalError, JournalState};
use crate::testing::{Call, Script, appliance, mysoftware};
use crate::workflow::{ExportTimes, Known, export_knowing};

/// The requests of a run, each with its moment.
#[derive(Clone, Default)]
struct Timeline(Arc<Mutex<Vec<(Duration, Call)>>>);

impl Timeline {
    fn of(world: &World) -> Self {
        let timeline = Self::default();
        let (seen, clock) = (timeline.clone(), world.clock.clone());
        let watch = move |call: &Call| {
            let moment = clock.elapsed();
            seen.0.lock().expect("a list").push((moment, call.clone()));
            false
        };
        world.platform.script(usize::MAX, watch, Script::LoseAnswer);
        timeline
    }

    fn moments(&self, which: impl Fn(&Call) -> bool) -> Vec<Duration> {
        let calls = self.0.lock().expect("a list");
        let matching = calls.iter().filter(|(_, call)| which(call));
        matching.map(|(moment, _)| *moment).collect()
    }

    fn polls(&self) -> Vec<Duration> {
        self.moments(is_poll)
    }

    fn starts(&self) -> Vec<(Duration, ItemRef)> {
        let calls = self.0.lock().expect("a list");
        let starts = calls.iter().filter_map(|(moment, call)| match call {
            Call::Start(item) => Some((*moment, *item)),
            _ => None,
        });
        starts.collect()
    }

    /// The most exports that ran on the platform at the same time.
    fn most_at_once(&self, takes: impl Fn(ItemRef) -> Duration) -> usize {
        let starts = self.starts();
        let running = |moment: Duration| {
            let begun = starts.iter().filter(|(at, _)| *at <= moment);
            begun
                .filter(|(at, item)| *at + takes(*item) > moment)
                .count()
        };
        starts.iter().map(|(at, _)| running(*at)).max().unwrap_or(0)
    }
}

fn is_poll(call: &Call) -> bool {
    matches!(call, Call::Status(_) | Call::Statuses(_))
}

fn gaps(moments: &[Duration]) -> Vec<Duration> {
    let pairs = moments.iter().zip(moments.iter().skip(1));
    pairs.map(|(one, next)| next.saturating_sub(*one)).collect()
}

/// Each length from 1 to 12 s twice, in no order, as the sizes hint at it.
fn slow(id: i64) -> Duration {
    Duration::from_secs((u64::try_from(id).unwrap_or(0) * 7) % 12 + 1)
}

fn slow_world() -> World {
    let items: Vec<_> = (0..24).map(|id| appliance(id + 1)).collect();
    let mut world = world(&items);
    world.platform = world.platform.with_batch();
    for item in items {
        let takes = slow(item.id.get());
        world.platform.change(item, |it| {
            it.takes = takes;
            it.size = Some(takes.as_secs() * 1_000_000);
        });
    }
    world
}

/// `of` and how much of it may be added, in thousandths.
fn at_most(of: Duration, thousandths: u32) -> Duration {
    of + of * thousandths / 1000
}

#[test]
fn the_longest_expected_is_asked_for_first_and_what_gives_no_size_before_it() {
    let world = world(&[appliance(1), appliance(2), appliance(3), mysoftware(4)]);
    for (item, size) in [(appliance(1), 5), (appliance(3), 9), (mysoftware(4), 7)] {
        world.platform.change(item, |it| it.size = Some(size));
    }
    let timeline = Timeline::of(&world);
    world.complete();
    let order: Vec<_> = timeline.starts().into_iter().map(|(_, it)| it).collect();
    let expected = [appliance(2), appliance(3), mysoftware(4), appliance(1)];
    assert_eq!(order, expected);
}

#[test]
fn slots_are_busy_nearly_all_the_time_and_never_more_than_there_are() {
    // Without percentages nobody knows an end beforehand, and half a second passes between two polls.
    for (has_percentages, thousandths) in [(true, 50), (false, 75)] {
        let mut world = slow_world();
        if !has_percentages {
            world.platform = world.platform.without_percentages();
        }
        let timeline = Timeline::of(&world);
        world.complete();
        let elapsed = world.clock.elapsed();
        assert!(
            elapsed <= at_most(Duration::from_secs(39), thousandths),
            "{elapsed:?}, percentages: {has_percentages}"
        );
        let at_once = timeline.most_at_once(|item| slow(item.id.get()));
        assert_eq!(at_once, world.order.jobs);
        let polls = timeline.polls().len();
        assert!(polls <= 120, "{polls} polls");
    }
}

/// Many exports, and how long each takes.
fn short_items() -> (Vec<ItemRef>, Duration) {
    (
        (1..=400).map(appliance).collect(),
        Duration::from_millis(200),
    )
}

/// A platform on which these exports take so long, eight at a time.
fn world_of_short(items: &[ItemRef], takes: Duration, has_percentages: bool) -> World {
    let mut world = world(items);
    world.order.jobs = 8;
    world.platform = world.platform.with_batch();
    if !has_percentages {
        world.platform = world.platform.without_percentages();
    }
    for item in items {
        world.platform.change(*item, |it| it.takes = takes);
    }
    world
}

#[test]
fn many_short_exports_cost_less_than_a_poll_each() {
    let (items, takes) = short_items();
    for has_percentages in [true, false] {
        let world = world_of_short(&items, takes, has_percentages);
        let timeline = Timeline::of(&world);
        world.complete();
        let (elapsed, polls) = (world.clock.elapsed(), timeline.polls().len());
        assert!(polls < items.len() / 2, "{polls} polls");
        assert!(elapsed <= at_most(takes * 50, 40), "{elapsed:?}");
        assert_eq!(timeline.most_at_once(|_| takes), 8);
    }
}

/// Each late answer made the run look for the ends of all that followed as late.
#[test]
fn an_end_that_is_seen_late_once_does_not_make_those_that_follow_late() {
    for has_percentages in [true, false] {
        let (items, takes) = short_items();
        let world = world_of_short(&items, takes, has_percentages);
        world.platform.delay_every(29, Duration::from_millis(150));
        let timeline = Timeline::of(&world);
        world.complete();
        let (elapsed, polls) = (world.clock.elapsed(), timeline.polls().len());
        assert!(polls < items.len(), "{polls} polls");
        assert!(elapsed <= at_most(takes * 50, 250), "{elapsed:?}");
    }
}

/// Exports one item, which takes so long. How late its end was seen, and after how many polls.
fn one_export(takes: Duration, times: &ExportTimes) -> (Duration, usize) {
    let world = world_of_short(&[appliance(1)], takes, false);
    let timeline = Timeline::of(&world);
    let known = Known {
        times: Some(times),
        ..Known::default()
    };
    let sink = Box::new(world.sink.clone());
    let export = export_knowing(world.ports(), known, sink, &world.order);
    let outcome = world.clock.run(export).expect("a bag");
    assert_eq!(outcome.report.completeness, Completeness::Complete);
    let (began, _) = timeline.starts()[0];
    let seen = timeline.moments(|call| matches!(call, Call::Download(..)))[0];
    (seen.saturating_sub(began + takes), timeline.polls().len())
}

#[test]
fn a_run_knows_from_others_when_the_end_of_an_export_is_to_be_expected() {
    let (times, takes) = (ExportTimes::default(), Duration::from_millis(430));
    let (late, polls) = one_export(takes, &times);
    assert!(late >= Duration::from_millis(50), "{late:?}");
    for _ in 0..8 {
        one_export(takes, &times);
    }
    let known = one_export(takes, &times);
    assert!(known.0 <= takes / 25 && known.1 < polls, "{known:?}");
    // It is a hint: one that takes longer, or less, has its archive as well, and is not asked for more often than a young one.
    for other in [takes / 4, takes * 3] {
        let (late, polls) = one_export(other, &times);
        assert!(late <= takes && polls <= 20, "{late:?} {polls}");
    }
}

/// The first two seconds and the expected end are exceptions. A platform that gives no percentages has no expected end.
#[test]
fn all_exports_together_are_asked_for_no_more_than_twice_a_second() {
    let mut world = world(&[appliance(1), appliance(2), appliance(3), appliance(4)]);
    world.platform = world.platform.with_batch().without_percentages();
    for id in 1..=4 {
        let takes = Duration::from_secs(20 + u64::try_from(id).unwrap_or(0) * 9);
        let item = appliance(id);
        world.platform.change(item, |it| it.takes = takes);
    }
    let timeline = Timeline::of(&world);
    world.complete();
    let polls = timeline.polls();
    let begin = *polls.first().expect("a poll");
    let calm: Vec<_> = polls
        .iter()
        .copied()
        .skip_while(|moment| *moment < begin + Duration::from_secs(2))
        .collect();
    let shortest = gaps(&calm).into_iter().min().expect("several polls");
    assert!(shortest >= Duration::from_millis(490), "{shortest:?}");
}

#[test]
fn exports_that_run_for_minutes_are_asked_for_every_five_seconds_at_most() {
    for has_batch in [true, false] {
        let mut world = world(&[appliance(1), appliance(2), mysoftware(3)]);
        if has_batch {
            world.platform = world.platform.with_batch();
        }
        for item in [appliance(1), appliance(2), mysoftware(3)] {
            let takes = Duration::from_secs(600 + u64::try_from(item.id.get()).unwrap_or(0));
            world.platform.change(item, |it| it.takes = takes);
        }
        let timeline = Timeline::of(&world);
        world.complete();
        let of = |item: ItemRef| move |call: &Call| matches!(call, Call::Status(Ticket { item: it, .. }) if *it == item);
        let mut polls = vec![timeline.moments(of(mysoftware(3)))];
        if has_batch {
            polls.push(timeline.moments(|call| matches!(call, Call::Statuses(_))));
        } else {
            polls.extend([appliance(1), appliance(2)].map(|item| timeline.moments(of(item))));
        }
        for polls in polls {
            let late = polls.into_iter().filter(|it| *it > Duration::from_secs(70));
            let gaps = gaps(&late.collect::<Vec<_>>());
            let shortest = gaps.into_iter().min().expect("several polls");
            assert!(shortest >= Duration::from_secs(5), "{shortest:?}");
        }
    }
}

#[test]
fn documents_are_fetched_while_exports_run() {
    let items: Vec<_> = (1..=8).map(appliance).collect();
    let world = world(&items);
    let timeline = Timeline::of(&world);
    world.complete();
    let first_end = timeline.moments(|call| matches!(call, Call::Download(..)));
    let documents =
        timeline.moments(|call| matches!(call, Call::Document(crate::model::Resource::Item(_), _)));
    assert!(documents.iter().max() < first_end.iter().min());
}

/// A journal on a disk that takes so long for a flush. What comes while one is under way waits for the next.
struct SlowJournal<'w> {
    world: &'w World,
    flush: Duration,
    /// When the last flush that was asked for is done.
    done: Mutex<Duration>,
}

#[async_trait]
impl Journal for SlowJournal<'_> {
    fn checkpoint(&self) -> JournalState {
        self.world.journal.checkpoint()
    }

    async fn record(&self, fact: Fact) -> Result<(), JournalError> {
        let clock = &self.world.clock;
        let now = clock.elapsed();
        let done = {
            let mut done = self.done.lock().expect("a moment");
            if done.saturating_sub(self.flush) < now {
                *done = now.max(*done) + self.flush;
            }
            *done
        };
        clock.sleep(done.saturating_sub(now)).await;
        self.world.journal.record(fact).await
    }
}

/// Ages were counted from when the ticket was on disk: an end came the earlier, as it seemed, the longer that had taken.
#[test]
fn a_disk_that_is_slow_to_flush_does_not_make_ends_seen_late() {
    let (items, takes) = short_items();
    let world = world_of_short(&items, takes, true);
    let journal = SlowJournal {
        world: &world,
        flush: Duration::from_millis(5),
        done: Mutex::default(),
    };
    let ports = Ports {
        journal: &journal,
        ..world.ports()
    };
    let sink = Box::new(world.sink.clone());
    let exported = world.clock.run(export(ports, sink, &world.order));
    assert!(exported.is_ok());
    let elapsed = world.clock.elapsed();
    // A poll, a flush and a start between two exports of a slot.
    assert!(elapsed <= at_most(takes * 50, 45), "{elapsed:?}");
}
