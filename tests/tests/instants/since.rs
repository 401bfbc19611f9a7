//! Kills while archives are copied out of an earlier bag.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use sandbox::Scenario;
use tests::kit::{Bag, Site, quick};

use super::{File, Instant, instant, later};

const FROM: &str = "old.zip";

/// Longer ones are copied by several calls, shorter ones by none.
fn long_archives() -> Scenario {
    let mut scenario = quick();
    scenario.data.archive_bytes = 5_000_000;
    scenario
}

const INSTANTS: [Instant; 3] = [
    instant(
        "as_the_first_bytes_are_copied",
        "copy_file_range",
        File::UnfinishedRun,
        1,
    ),
    instant(
        "while_an_archive_is_copied",
        "copy_file_range",
        File::UnfinishedRun,
        2,
    ),
    instant(
        "while_a_later_archive_is_copied",
        "copy_file_range",
        File::UnfinishedRun,
        8,
    ),
];

/// The trials of this module.
pub(super) fn trials(has_tools: bool) -> impl Iterator<Item = Trial> {
    ["j.zip", "j.tar"].into_iter().flat_map(move |name| {
        INSTANTS.into_iter().map(move |instant| {
            let trial = format!("since::{name}::a_kill_{}", instant.name);
            Trial::test(trial, move || {
                killed_at(instant, name);
                Ok::<(), Failed>(())
            })
            .with_ignored_flag(!has_tools)
        })
    })
}

fn site() -> Site {
    let program = env!("CARGO_BIN_EXE_uforge-export-under-test");
    let site = Site::new(program, long_archives());
    site.program.run(site.export_to(FROM)).expect_status(0);
    site.was_killed();
    site
}

fn since(site: &Site, name: &str) -> Command {
    let mut command = site.export_to(name);
    command.arg("--since").arg(site.path(FROM));
    command
}

fn starts(site: &Site) -> usize {
    let requests = site.platform().requests().into_iter();
    let starts = requests.filter(|request| {
        request.method == "POST" && request.path.last().is_some_and(|last| last == "exports")
    });
    starts.count()
}

fn killed_at(instant: Instant, name: &str) {
    let site = later::killed(instant, name, &site, &|site| since(site, name));
    let before = starts(&site);
    site.program.run(since(&site, name)).expect_status(0);
    assert_eq!(starts(&site), before, "nothing has changed");
    let (old, new) = (Bag::read(&site.path(FROM)), Bag::read(&site.path(name)));
    new.check();
    let archives = |bag: &Bag| {
        let payload = bag.payload().into_iter();
        let archives = payload.filter(|(path, _)| path.ends_with("archive.tar.gz"));
        archives
            .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
            .collect::<Vec<_>>()
    };
    assert!(archives(&old) == archives(&new));
    assert_eq!(site.listing(), [name, FROM]);
}
