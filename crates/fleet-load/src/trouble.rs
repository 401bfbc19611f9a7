//! What is done to the processes while they work, and how long it takes until somebody goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::fleet::Fleet;

/// Numbers at random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).unwrap_or(0)
    }
}

/// What was done, and what came of it.
#[derive(Default)]
pub(crate) struct Came {
    pub(crate) kills: usize,
    pub(crate) stops: usize,
    pub(crate) crashes: usize,
    /// From a worker's death until another one has its export, in seconds.
    pub(crate) takeovers: Vec<f64>,
    /// From a worker's death to the first request about the person that the successor sends, in seconds: one whose next step is a start
    /// may wait for a slot first.
    pub(crate) requests: Vec<f64>,
    /// Exports that were taken from a worker that died, whose end needed no request, or which died once more before.
    pub(crate) others: usize,
}

/// How often the database is asked who took over.
const ASK: Duration = Duration::from_millis(200);

/// Does to the processes what the options say, in small steps.
pub(crate) struct Trouble<'a> {
    fleet: &'a Fleet,
    dice: Dice,
    next_kill: Option<Instant>,
    stopped: Option<(usize, Instant)>,
    /// Whose first request is waited for, and since when.
    waited_for: BTreeMap<String, Duration>,
    /// Who is still a dead worker's, by its name, and since when.
    dead: BTreeMap<(String, String), Instant>,
    asked: Instant,
    pub(crate) came: Came,
}

impl<'a> Trouble<'a> {
    pub(crate) fn new(fleet: &'a Fleet) -> Self {
        let every = fleet.options.kill_every;
        Self {
            fleet,
            dice: Dice(0x9E37_79B9_7F4A_7C15),
            next_kill: every.map(|every| Instant::now() + every),
            stopped: None,
            waited_for: BTreeMap::new(),
            dead: BTreeMap::new(),
            asked: Instant::now(),
            came: Came::default(),
        }
    }

    /// Does what is due. `done` is the part of the exports that are over.
    pub(crate) fn step(&mut self, done: f64) -> Result<(), String> {
        self.look();
        let options = &self.fleet.options;
        if let Some((place, until)) = self.stopped
            && until <= Instant::now()
        {
            self.stopped = None;
            self.fleet.workers()[place].signal("CONT")?;
        }
        if options.stop && self.came.stops == 0 && done > 0.3 {
            self.stop()?;
        }
        let crashes = options.database_crashes;
        if self.came.crashes < crashes && done > part(self.came.crashes + 1, crashes + 1) {
            self.came.crashes += 1;
            self.fleet.crash_database();
        }
        if self.next_kill.is_some_and(|next| next <= Instant::now()) {
            self.next_kill = options.kill_every.map(|every| Instant::now() + every);
            self.kill()?;
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), String> {
        let workers = self.fleet.workers().len();
        let place = self.dice.roll(workers);
        if self.stopped.is_some_and(|(stopped, _)| stopped == place) {
            return Ok(());
        }
        // It dies here: what it runs is looked up while it can do nothing more.
        self.fleet.workers()[place].signal("STOP")?;
        self.wait_for_successors(place);
        self.came.kills += 1;
        let dead = self.fleet.workers()[place].signal("KILL");
        self.fleet.replace_worker(place)?;
        dead
    }

    fn stop(&mut self) -> Result<(), String> {
        let place = self.dice.roll(self.fleet.workers().len());
        self.fleet.workers()[place].signal("STOP")?;
        self.wait_for_successors(place);
        self.came.stops += 1;
        self.stopped = Some((place, Instant::now() + self.fleet.options.lease * 2));
        Ok(())
    }

    fn wait_for_successors(&mut self, place: usize) {
        let worker = self.fleet.workers()[place].name.clone();
        let held =
            format!("SELECT owner FROM jobs WHERE state = 'running' AND worker = '{worker}'");
        let Ok(owners) = self.fleet.database_says(&held) else {
            return;
        };
        for owner in owners.lines().filter(|owner| !owner.is_empty()) {
            let who = (owner.to_owned(), worker.clone());
            self.dead.insert(who, Instant::now());
            let at = self.fleet.forge.platform().await_request(owner);
            if self.waited_for.insert(owner.to_owned(), at).is_some() {
                self.came.others += 1;
            }
        }
    }

    fn look(&mut self) {
        let platform = self.fleet.forge.platform();
        let requests = &mut self.came.requests;
        self.waited_for.retain(|owner, since| {
            let Some(came) = platform.awaited_request(owner) else {
                return true;
            };
            requests.push(came.saturating_sub(*since).as_secs_f64());
            false
        });
        if !self.dead.is_empty() && self.asked.elapsed() >= ASK {
            self.asked = Instant::now();
            self.look_for_successors();
        }
    }

    /// A job is a dead worker's until somebody else claims it.
    fn look_for_successors(&mut self) {
        let running = "SELECT owner || ' ' || worker FROM jobs WHERE state = 'running'";
        let Ok(answer) = self.fleet.database_says(running) else {
            return;
        };
        let held: BTreeSet<(String, String)> = answer
            .lines()
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(owner, worker)| (owner.to_owned(), worker.to_owned()))
            .collect();
        let takeovers = &mut self.came.takeovers;
        self.dead.retain(|who, since| {
            let is_held = held.contains(who);
            if !is_held {
                takeovers.push(since.elapsed().as_secs_f64());
            }
            is_held
        });
    }

    /// The end: nobody stands still any more.
    pub(crate) fn end(mut self) -> Result<Came, String> {
        self.look();
        if let Some((place, _)) = self.stopped {
            self.fleet.workers()[place].signal("CONT")?;
        }
        self.came.others += self.waited_for.len();
        Ok(self.came)
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn part(of: usize, whole: usize) -> f64 {
    of as f64 / whole as f64
}
