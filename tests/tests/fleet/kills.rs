//! Kills, pauses and a database that crashes: they cost time, and nothing else.
//!
//! `FLEET_PEOPLE=200 cargo test -p tests --test fleet kills` is the long form; usually there are few.

use std::time::{Duration, Instant};

use tests::kit::Signal;

use crate::service::{Fleet, Process, TERM, quick};

const SLOTS: usize = 3;
const WORKERS: usize = 3;
/// How long all of it may take on a busy machine, for each person.
const WITHIN: Duration = Duration::from_secs(30);

/// Jobs whose workers died three times since they recorded anything: of six, a job fails.
const NEAR_THE_LIMIT: &str = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'waiting') AND deaths >= 3 \
    AND (SELECT coalesce(max(number), 0) FROM run_records WHERE job = jobs.id) <= recorded";

#[test]
fn kills_cost_nobody_their_export() {
    let people = std::env::var("FLEET_PEOPLE").ok();
    let people = people.and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut scenario = quick();
    scenario.data.neighbours = u32::try_from(people).expect("a number of people");
    scenario.timing.export_millis = 700;
    let mut fleet = Fleet::new(scenario, SLOTS);
    let web = fleet.start("web", &[]);
    let start = |fleet: &Fleet| fleet.start("worker", &[("--worker-jobs", "2")]);
    let mut workers: Vec<Process> = (0..WORKERS).map(|_| start(&fleet)).collect();
    let callers: Vec<_> = (1..=people).map(|number| fleet.neighbour(number)).collect();
    let only = r#"{"include":["profile","appliances"]}"#;
    let orders: Vec<_> = callers
        .iter()
        .map(|caller| caller.order(&web, only))
        .collect();
    let until = Instant::now() + WITHIN * u32::try_from(people).expect("a number of people");
    let mut most = 0;
    let mut round = 0;
    loop {
        let next = Instant::now() + Duration::from_secs(2);
        while Instant::now() < next {
            most = most.max(fleet.running_exports());
            std::thread::sleep(Duration::from_millis(20));
        }
        let unfinished =
            "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'waiting')";
        if fleet.database_says(unfinished) == "0" {
            break;
        }
        assert!(Instant::now() < until, "it does not come to an end");
        // On a busy machine the disturbances would come faster than anything is recorded, which is what makes a job hopeless.
        if fleet.database_says(NEAR_THE_LIMIT) != "0" {
            continue;
        }
        let victim = round % WORKERS;
        match round % 5 {
            3 => {
                fleet.postgres.crash();
                fleet.postgres.start_again();
            }
            4 => {
                workers[victim].signal(Signal::Stop);
                std::thread::sleep(TERM * 2);
                workers[victim].signal(Signal::Continue);
            }
            _ => {
                workers[victim].signal(Signal::Kill);
                workers[victim] = start(&fleet);
            }
        }
        round += 1;
    }
    for (caller, order) in callers.iter().zip(&orders) {
        let answer = caller.get(&web, order);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(caller.state(&web, order), "ready", "{text}");
        assert!(text.contains(r#""outcome":"complete""#), "{text}");
    }
    assert!(most <= SLOTS, "{most} ran at once");
    let open = fleet.forge.platform().open_tickets();
    assert!(open.is_empty(), "{open:?}");
    let held = fleet.database_says("SELECT count(*) FROM slots WHERE job IS NOT NULL");
    assert_eq!(held, "0");
}
