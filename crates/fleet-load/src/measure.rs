//! One run: everybody orders, the workers export, everybody fetches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::check::{self, Bags};
use crate::fleet::Fleet;
use crate::options::Options;
use crate::people::People;
use crate::trouble::{Came, Trouble};
use crate::watch::Watch;

/// How often the processes are looked at.
const STEP: Duration = Duration::from_millis(200);

/// How often the database is asked how far it is.
const LOOK: Duration = Duration::from_secs(1);

/// What one run came to.
pub(crate) struct Run {
    pub(crate) workers: usize,
    pub(crate) options: Options,
    pub(crate) took: Duration,
    pub(crate) figures: Vec<(&'static str, f64, &'static str)>,
    pub(crate) bags: Bags,
    pub(crate) faults: Vec<String>,
}

/// Runs it.
pub(crate) fn run(options: &Options, workers: usize, runtime: &Handle) -> Result<Run, String> {
    let fleet = Fleet::start(options, workers, runtime)?;
    let people = Arc::new(People::of(&fleet)?);
    let began = Instant::now();
    let orders = {
        let people = Arc::clone(&people);
        runtime.spawn(async move { people.order().await })
    };
    let mut trouble = Trouble::new(&fleet);
    let mut watch = Watch::default();
    let mut looked = Instant::now();
    let mut ordering = None;
    let longest = options.bound() * 10 + Duration::from_mins(10);
    while !(orders.is_finished() && watch.over == u64::from(options.users)) {
        std::thread::sleep(STEP);
        if orders.is_finished() {
            ordering.get_or_insert_with(|| began.elapsed());
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            watch.look(&fleet);
        }
        trouble.step(watch.done(options.users))?;
        if began.elapsed() > longest {
            return Err(format!(
                "it does not come to an end: {} of {} are over; see {}",
                watch.over,
                options.users,
                fleet.log().display()
            ));
        }
    }
    let took = began.elapsed();
    let came = trouble.end()?;
    let paths = runtime
        .block_on(orders)
        .map_err(|error| error.to_string())??;
    let mut faults = Vec::new();
    let mut figures = figures(&fleet, &watch, took, &came);
    figures.push((
        "orders taken within",
        ordering.unwrap_or(took).as_secs_f64(),
        "s",
    ));
    let bags = runtime.block_on(check::bags(&fleet, &people, &paths));
    faults.extend(bags.faults.iter().cloned());
    faults.extend(left(&fleet, &came)?);
    Ok(Run {
        workers,
        options: options.clone(),
        took,
        figures,
        bags,
        faults,
    })
}

/// What is measured, how much of it, and in which unit.
type Figure = (&'static str, f64, &'static str);

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(fleet: &Fleet, watch: &Watch, took: Duration, came: &Came) -> Vec<Figure> {
    let seconds = took.as_secs_f64();
    let users = f64::from(fleet.options.users);
    let bound = fleet.options.bound().as_secs_f64();
    let (workers, webs) = (fleet.used_by_workers(), fleet.used_by_webs());
    let platform = fleet.forge.platform();
    let mut figures = vec![
        ("time", seconds, "s"),
        ("bound by the platform's slots", bound, "s"),
        ("time ÷ bound", seconds / bound, ""),
        ("exports of people a minute", users / seconds * 60.0, ""),
        (
            "exports on the platform at once",
            platform.most_exports_at_once() as f64,
            "",
        ),
        (
            "exports that the platform ran",
            platform.exports_in_all() as f64,
            "",
        ),
        (
            "requests to the platform a person",
            platform.requests_in_all() as f64 / users,
            "",
        ),
        (
            "database transactions a second",
            watch.transactions as f64 / seconds,
            "",
        ),
        (
            "database transactions a person",
            watch.transactions as f64 / users,
            "",
        ),
        ("memory of a worker", workers.memory as f64 / 1024.0, "MiB"),
        ("memory of a web", webs.memory as f64 / 1024.0, "MiB"),
        (
            "processor of workers a person",
            workers.processor / users * 1000.0,
            "ms",
        ),
        (
            "processor of webs a person",
            webs.processor / users * 1000.0,
            "ms",
        ),
    ];
    if fleet.options.is_disturbed() {
        figures.extend(disturbances(came));
    }
    figures
}

/// What was disturbed, and how long it took others to go on.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn disturbances(came: &Came) -> Vec<Figure> {
    let sorted = |times: &[f64]| {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        times
    };
    let (takeovers, requests) = (sorted(&came.takeovers), sorted(&came.requests));
    let at = |times: &[f64], percent: usize| {
        let last = times.len().saturating_sub(1);
        times.get(last * percent / 100).copied().unwrap_or(0.0)
    };
    vec![
        ("workers killed", came.kills as f64, ""),
        ("workers stopped", came.stops as f64, ""),
        ("crashes of the database", came.crashes as f64, ""),
        ("exports taken over", takeovers.len() as f64, ""),
        (
            "the same without a request, or died twice",
            came.others as f64,
            "",
        ),
        ("takeover, median", at(&takeovers, 50), "s"),
        ("takeover, 95 of 100", at(&takeovers, 95), "s"),
        ("takeover, longest", at(&takeovers, 100), "s"),
        (
            "first request about the person, median",
            at(&requests, 50),
            "s",
        ),
        ("first request, 95 of 100", at(&requests, 95), "s"),
        ("first request, longest", at(&requests, 100), "s"),
    ]
}

/// What is left although everything is over, and what was too much.
fn left(fleet: &Fleet, came: &Came) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    let platform = fleet.forge.platform();
    let open = platform.open_tickets();
    if !open.is_empty() {
        faults.push(format!("{} tickets are left: {open:?}", open.len()));
    }
    let most = platform.most_exports_at_once();
    if most > fleet.options.slots {
        faults.push(format!(
            "{most} exports ran at once on {} slots",
            fleet.options.slots
        ));
    }
    let longest = came.takeovers.iter().copied().fold(0.0, f64::max);
    if longest > fleet.options.lease.as_secs_f64() * 2.0 {
        faults.push(format!("a takeover took {longest:.1} s"));
    }
    let wrong = [
        (
            "people without an archive, or with another state",
            format!(
                "SELECT {} - count(DISTINCT owner) FROM jobs WHERE state = 'ready'",
                fleet.options.users
            ),
        ),
        (
            "exports too many",
            format!("SELECT count(*) - {} FROM jobs", fleet.options.users),
        ),
        (
            "slots that are still taken",
            "SELECT count(*) FROM slots WHERE job IS NOT NULL".to_owned(),
        ),
        (
            "numbers of the audit trail that are missing or doubled",
            "SELECT coalesce(max(number), 0) - count(DISTINCT number) FROM audit".to_owned(),
        ),
    ];
    for (what, query) in wrong {
        let count = fleet.database_says(&query)?;
        if count != "0" {
            faults.push(format!("{count} {what}"));
        }
    }
    Ok(faults)
}

impl Run {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let figures = self.figures.iter();
        let figures =
            figures.map(|(name, value, unit)| json!({"name": name, "value": value, "unit": unit}));
        json!({
            "users": self.options.users,
            "items": self.options.items,
            "workers": self.workers,
            "slots": self.options.slots,
            "export_millis": self.options.export.as_millis(),
            "lease_seconds": self.options.lease.as_secs(),
            "disturbed": self.options.is_disturbed(),
            "bags_verified": self.bags.payload.len(),
            "bags_judged_by_others": self.bags.judged,
            "figures": figures.collect::<Vec<_>>(),
            "faults": self.faults,
        })
    }
}
