//! [`Platform`]: requests in, answers out, and the changes that a scenario makes in between.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ports::Clock;

use crate::scenario::{Change, Scenario};

use super::calls::{Answer, Call};
use super::import_tickets::Imports;
use super::items::Item;
use super::people::Caller;
use super::refusal::Refusal;
use super::state::{Shared, State};
use super::tickets::Tickets;
use super::{clock, exports, people, resources};

/// A UForge platform in memory. Clones share one state.
#[derive(Clone)]
pub struct Platform {
    pub(super) shared: Arc<Shared>,
}

impl Platform {
    /// The platform that `scenario` describes, on the machine's time.
    pub fn new(scenario: Scenario) -> Self {
        Self::with_clock(scenario, Arc::new(clock::SystemClock::start()))
    }

    /// The platform that `scenario` describes, on a time of its own: simulated, for instance.
    pub fn with_clock(scenario: Scenario, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            residents: people::residents(&scenario),
            tickets: Tickets::new(scenario.timing.slots),
            imports: Imports::default(),
            history: HashMap::new(),
            counted: vec![0; scenario.mutations.len()],
            requests: VecDeque::new(),
            requests_in_all: 0,
            awaited: HashMap::new(),
        };
        let mut shared = Shared {
            scenario,
            clock,
            state: Mutex::new(state),
        };
        exports::leave_foreign_tickets(&mut shared);
        Self {
            shared: Arc::new(shared),
        }
    }

    /// What this platform was made from.
    pub fn scenario(&self) -> &Scenario {
        &self.shared.scenario
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    /// Executes a call. What a scenario changes after it has been changed when this returns.
    pub(crate) fn answer(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let mut state = self.state();
        let answer = resources::answer(&self.shared, &mut state, call);
        let mut due = Vec::new();
        for (mutation, counted) in self
            .shared
            .scenario
            .mutations
            .iter()
            .zip(&mut state.counted)
        {
            if mutation.after.matches(call.method, call.path) {
                *counted += 1;
                if *counted == mutation.nth {
                    due.push(mutation.change);
                }
            }
        }
        for change in due {
            self.change(&mut state, change);
        }
        answer
    }

    /// Lets exports end: those that wait or run now, and those that are asked for later at once. With it a test decides how long an export
    /// takes, and not how busy the machine is: exports that take an hour, or for ever
    /// ([`ItemFault::NeverCompletes`](crate::scenario::ItemFault::NeverCompletes)), end when what has to come before has come.
    pub fn let_end(&self) {
        let elapsed = self.shared.clock.elapsed();
        self.state().tickets.let_end(elapsed);
    }

    /// After [`let_end`](Self::let_end): exports that are asked for from now on take as long as the scenario says.
    pub fn hold(&self) {
        self.state().tickets.hold();
    }

    /// Changes the user's data, as somebody at the platform's own web page would.
    pub fn apply(&self, change: Change) {
        self.change(&mut self.state(), change);
    }

    fn change(&self, state: &mut State, change: Change) {
        let Some(user) = state.residents.first_mut() else {
            return;
        };
        match change {
            Change::Add { kind } => {
                let seed = user.seed;
                let items = user.items_mut(kind);
                let id = items.iter().map(|item| item.id).max().unwrap_or(200) + 1;
                items.push(Item::new(
                    &self.shared.scenario,
                    kind,
                    id,
                    items.len(),
                    seed,
                ));
            }
            Change::Remove { kind, id } => user.items_mut(kind).retain(|item| item.id != id),
            Change::Edit { kind, id } => {
                let now = self.shared.clock.now();
                user.items_mut(kind)
                    .iter_mut()
                    .filter(|item| item.id == id)
                    .for_each(|item| item.edit(now));
            }
        }
    }

    /// Who these credentials belong to.
    pub(crate) fn sign_in(&self, login: &str, password: &str) -> Result<Caller, Refusal> {
        people::sign_in(&self.state().residents, login, password)
    }

    /// Whose public key this is, and the secret key that belongs to it.
    pub(crate) fn key_pair(&self, public_key: &str) -> Option<(Caller, String)> {
        let state = self.state();
        let resident = state
            .residents
            .iter()
            .find(|resident| resident.person.public_key == public_key)?;
        let caller = Caller {
            login: resident.person.login.clone(),
            administrator: resident.administrator,
        };
        Some((caller, resident.person.secret_key.clone()))
    }

    /// A panic while the state was held has been reported already; what it left is still what there is.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
