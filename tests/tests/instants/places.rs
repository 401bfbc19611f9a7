//! Kills while archives of known length are written to their places in the container, and while what is behind a place that was given
//! up is moved.

use std::collections::BTreeMap;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use sandbox::Scenario;
use sandbox::scenario::{Damage, Fault, ItemFault, ItemKind, ItemScenario, Ranges, Times};
use tests::kit::{Bag, Site, quick};

use super::{FORMATS, File, Instant, MOVING, instant, later};

/// Only what has archives: the calls of documents would have to be counted too.
const SELECTION: [&str; 2] = ["--include", "appliances,mysoftware"];

struct Story {
    scenario: fn() -> Scenario,
    /// What the program says in the end.
    status: i32,
    instants: &'static [Instant],
}

/// Two are in flight at a time, and their platform can send the rest of one. However few calls write an archive, there are so many.
const IN_FLIGHT: Story = Story {
    scenario: in_flight,
    status: 0,
    instants: &[
        instant(
            "while_two_archives_are_written",
            "pwrite64",
            File::UnfinishedRun,
            6,
        ),
        instant(
            "while_later_archives_are_written",
            "pwrite64",
            File::UnfinishedRun,
            14,
        ),
    ],
};

/// One archive is damaged whenever it is fetched. It comes so slowly at first that others are behind its place when that is seen.
const GIVEN_UP: Story = Story {
    scenario: given_up,
    status: 3,
    instants: &[
        instant(
            "as_the_first_member_is_moved",
            "pread64",
            File::UnfinishedRun,
            1,
        ),
        instant("while_a_member_is_moved", "pread64", File::UnfinishedRun, 9),
        instant(
            "while_later_members_are_moved",
            "pread64",
            File::UnfinishedRun,
            20,
        ),
    ],
};

fn in_flight() -> Scenario {
    let mut scenario = quick();
    scenario.data.archive_bytes = 3_000_000;
    scenario.downloads.ranges = Ranges::Honoured;
    scenario
}

fn given_up() -> Scenario {
    let mut scenario = quick();
    scenario.data.archive_bytes = 3_000_000;
    // It is the first that is downloaded.
    scenario.timing.export_millis = 1_000;
    let mut item = ItemScenario::new(ItemKind::Appliance, 201);
    item.export_millis = Some(10);
    let scenario = scenario.with_item(item.with_fault(ItemFault::Archive {
        damage: Damage::BitFlip { at: 1_500_000 },
        times: Times::Always,
    }));
    scenario.with_fault(
        "GET users/*/appliances/201/exports/*/downloads"
            .parse()
            .expect("a pattern"),
        Times::First(1),
        Fault::Slow {
            bytes_per_second: 800_000,
        },
    )
}

pub(super) fn trials(has_tools: bool) -> impl Iterator<Item = Trial> {
    let stories = [&IN_FLIGHT, &GIVEN_UP].into_iter();
    let instants = stories.flat_map(|story| story.instants.iter().map(move |at| (story, *at)));
    instants.flat_map(move |(story, at)| {
        FORMATS.into_iter().map(move |format| {
            let name = format!("{format}::a_kill_{}", at.name);
            Trial::test(name, move || {
                killed_at(story, at, format);
                Ok::<(), Failed>(())
            })
            .with_ignored_flag(!has_tools)
        })
    })
}

fn killed_at(story: &Story, instant: Instant, format: &str) {
    let name = format!("j.{format}");
    let site = later::killed(instant, &name, &|| site(story), &|site| export(site, &name));
    let ended = site.program.run(export(&site, &name));
    ended.expect_status(story.status);
    let bag = Bag::read(&site.path(&name));
    bag.check();
    assert_eq!(bag.sums_without(&[MOVING]), undisturbed(story, &name));
    assert_eq!(site.listing(), [name]);
}

fn site(story: &Story) -> Site {
    let program = env!("CARGO_BIN_EXE_uforge-export-under-test");
    let site = Site::new(program, (story.scenario)());
    if story.status == 0 {
        site.was_killed();
    } else {
        site.leaves_tickets("an archive that is always damaged may be had in another way");
    }
    site
}

fn export(site: &Site, name: &str) -> Command {
    let mut command = site.export_to(name);
    command.args(SELECTION);
    command
}

fn undisturbed(story: &Story, name: &str) -> BTreeMap<String, String> {
    let site = site(story);
    let ended = site.program.run(export(&site, name));
    ended.expect_status(story.status);
    Bag::read(&site.path(name)).sums_without(&[MOVING])
}
