//! The chaos suite (docs/chaos.md): the real program against a platform on which everything may go wrong, killed at random
//! instants and started again until it is done. What goes wrong and when is drawn from a seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod plan;

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tests::kit::{Bag, Child, Key, Signal, Site};

use checks::Lived;
use plan::{CLOSING, Instant, Kill, Plan};

const PROGRAM: &str = env!("CARGO_BIN_EXE_uforge-export-under-test");
/// Seeds of the short form.
const SEEDS: u64 = 20;
/// Mostly they wait: for answers that do not come, and before they ask again.
const AT_ONCE: usize = 8;

/// What one seed came to.
#[derive(Clone, Copy, Default)]
struct Tally {
    kills: usize,
    struck: usize,
    /// Downloads of which only the rest was asked for.
    rests: usize,
}

#[test]
fn nothing_is_lost_whatever_goes_wrong_and_whenever_it_is_killed() {
    let seeds = seeds();
    let began = std::time::Instant::now();
    let expected = undisturbed();
    let next = AtomicU64::new(*seeds.start());
    let (failed, tally) = (Mutex::new(Vec::new()), Mutex::new(Tally::default()));
    let live_through_some = || {
        let seeds = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
            .take_while(|seed| seeds.contains(seed));
        for seed in seeds {
            let lived = catch_unwind(AssertUnwindSafe(|| live_through(seed, &expected)));
            if let Ok(one) = lived {
                let mut all = tally.lock().unwrap();
                all.kills += one.kills;
                all.struck += one.struck;
                all.rests += one.rests;
            } else {
                let variable = plan::ONE_SEED;
                eprintln!("seed {seed} fails; run it again with {variable}={seed}");
                failed.lock().unwrap().push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(live_through_some);
        }
    });
    let (tally, failed) = (tally.into_inner().unwrap(), failed.into_inner().unwrap());
    println!(
        "{} seeds, {} kills, {} requests struck, {} downloads resumed, in {:?}",
        seeds.end() - seeds.start() + 1,
        tally.kills,
        tally.struck,
        tally.rests,
        began.elapsed()
    );
    assert!(failed.is_empty(), "seeds that fail: {failed:?}");
}

/// From the environment, else the short form.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let number = |text: &str| text.parse::<u64>().unwrap();
    if let Ok(seed) = env::var(plan::ONE_SEED) {
        return number(&seed)..=number(&seed);
    }
    match env::var(plan::MANY_SEEDS) {
        Ok(seeds) => match seeds.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None => 1..=number(&seeds),
        },
        Err(_) => 1..=SEEDS,
    }
}

/// SHA-256 of every file that a healthy platform and an undisturbed run give.
fn undisturbed() -> BTreeMap<String, String> {
    let site = Site::new(PROGRAM, plan::data());
    let mut command = site.export_to("calm.zip");
    command.args(plan::SELECTION);
    site.program.run(command).expect_status(0);
    let bag = Bag::read(&site.path("calm.zip"));
    bag.sums_without(&[checks::MOVING])
}

/// Runs, kills and runs again as the seed says, then looks at everything.
fn live_through(seed: u64, expected: &BTreeMap<String, String>) -> Tally {
    let plan = Plan::of(seed);
    let site = Site::new(PROGRAM, plan.scenario.clone());
    site.leaves_tickets(
        "software has no list of tickets: one whose answer was lost stays, and is reported",
    );
    let key = Key::new(&site.program);
    let command = || {
        let mut command = site.export_to(plan.output);
        command.args(plan::SELECTION).args(&plan.flags);
        if plan.is_encrypted() {
            command.args(["--encrypt-to", &key.recipient]);
        }
        command
    };
    let mut kills = 0;
    for kill in &plan.kills {
        let mut child = site.program.spawn(command());
        wait_for_the_instant(&site, &mut child, *kill);
        child.signal(Signal::Kill);
        let ended = child.wait();
        match (ended.status, ended.signal) {
            (None, Some(9)) => kills += 1,
            // It was quicker.
            (Some(0), None) => break,
            _ => panic!(
                "it ended by itself with {:?}:\n{}",
                ended.status, ended.stderr
            ),
        }
        if is_done(&site, &plan) {
            break;
        }
    }
    if !is_done(&site, &plan) {
        site.program.run(command()).expect_status(0);
    } else if site.listing() != [plan.output] {
        // It was killed while it removed its folder, which goes now.
        site.program.run(command()).expect_status(2);
    }
    let lived = Lived {
        site: &site,
        plan: &plan,
        key: &key,
        kills,
    };
    lived.check(expected);
    let downloads = "GET users/*/*/*/exports/*/downloads".parse().unwrap();
    let asked_from = site.platform().first_bytes(&downloads);
    Tally {
        kills,
        struck: site.platform().count_struck(&"* **".parse().unwrap()),
        rests: asked_from.into_iter().flatten().count(),
    }
}

/// Whether a kill came after the last step: the bag has its name, and no journal is left that would say whose it is. The same command
/// is refused then, as it is after a run that nobody killed.
fn is_done(site: &Site, plan: &Plan) -> bool {
    let journal = format!(".{}.uforge-run/journal", plan.output);
    site.path(plan.output).exists() && !site.path(&journal).exists()
}

fn wait_for_the_instant(site: &Site, child: &mut Child, kill: Kill) {
    let from = site.platform().requests_in_all();
    let words = child.words();
    let came = || match kill.instant {
        Instant::Requests(requests) => site.platform().requests_in_all() - from >= requests,
        Instant::Closing => words.said().contains(CLOSING),
    };
    if child.wait_until(came) {
        std::thread::sleep(Duration::from_micros(kill.then_micros));
    }
}
