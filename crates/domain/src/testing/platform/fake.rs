//! The platform as a test sets it up and looks at it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::{Call, Script};
use super::item::FakeItem;
use super::state::{ExportList, State, missing};
use crate::model::{BinaryRef, ItemRef, ObjectFacts, PartRef, Ticket};
use crate::ports::{ApiError, Clock as _, ExportStatus, OpenTicket};
use crate::testing::SimClock;

/// The platform. Clones share it.
#[derive(Clone)]
pub struct FakePlatform {
    clock: SimClock,
    state: Arc<Mutex<State>>,
}

impl FakePlatform {
    /// A platform with these items.
    pub fn new(clock: &SimClock, items: impl IntoIterator<Item = FakeItem>) -> Self {
        let state = State {
            items: items.into_iter().collect(),
            next_ticket: 1,
            ..State::default()
        };
        Self {
            clock: clock.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// It has `exports/statuses`.
    #[must_use]
    pub fn with_batch(self) -> Self {
        self.with_batch_of(usize::MAX)
    }

    /// It has `exports/statuses`, which knows no more than so many of the tickets.
    #[must_use]
    pub fn with_batch_of(self, most: usize) -> Self {
        self.state().batch = Some(most);
        self
    }

    /// It lists no more than so many items at a time.
    #[must_use]
    pub fn with_pages_of(self, most: usize) -> Self {
        self.state().page = Some(most);
        self
    }

    /// It takes ranges with a validator.
    #[must_use]
    pub fn with_ranges(self) -> Self {
        self.state().ranges = true;
        self
    }

    /// It says how long a download is.
    #[must_use]
    pub fn with_lengths(self) -> Self {
        self.state().lengths = true;
        self
    }

    /// Its list of exports has the tickets of appliances, as data of the person.
    #[must_use]
    pub fn with_exports_listed(self) -> Self {
        self.state().export_list = ExportList::Tickets;
        self
    }

    /// It gives no percentages.
    #[must_use]
    pub fn without_percentages(self) -> Self {
        self.state().silent = true;
        self
    }

    /// Every `nth` answer with statuses takes so much longer to come.
    pub fn delay_every(&self, nth: usize, delay: Duration) {
        self.state().delay = Some((nth, delay));
    }

    /// It has this file.
    #[must_use]
    pub fn with_file(self, file: BinaryRef, bytes: Vec<u8>) -> Self {
        self.state().files.insert(file, bytes);
        self
    }

    /// It has this document below an item, which holds these objects.
    #[must_use]
    pub fn with_part(self, part: PartRef, objects: Vec<ObjectFacts>) -> Self {
        self.state().parts.insert(part, objects);
        self
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next `times` requests that match come to this.
    pub fn script(
        &self,
        times: usize,
        matches: impl Fn(&Call) -> bool + Send + 'static,
        script: Script,
    ) {
        self.state()
            .scripts
            .push_back((Box::new(matches), script, times));
    }

    /// Forgets the scripts that are left.
    pub fn forget_scripts(&self) {
        self.state().scripts.clear();
    }

    /// Changes an item.
    pub fn change(&self, item: ItemRef, change: impl FnOnce(&mut FakeItem)) {
        if let Some(found) = self
            .state()
            .items
            .iter_mut()
            .find(|known| known.item == item)
        {
            change(found);
        }
    }

    /// Adds an item.
    pub fn add(&self, item: FakeItem) {
        self.state().items.push(item);
    }

    /// Takes an item away.
    pub fn remove(&self, item: ItemRef) {
        self.state().items.retain(|known| known.item != item);
    }

    /// Puts a ticket there, as another client would.
    pub fn foreign_ticket(&self, item: ItemRef) -> Ticket {
        let elapsed = self.clock.elapsed();
        self.state().new_ticket(item, elapsed)
    }

    /// Somebody has downloaded a ticket's archive.
    pub fn was_downloaded(&self, ticket: Ticket) {
        self.state().downloaded.insert(ticket);
    }

    /// What the list of open tickets says of one.
    pub(super) fn listed(&self, ticket: Ticket) -> OpenTicket {
        let status = self.status(ticket).unwrap_or_default();
        let state = self.state();
        let age = state.tickets.get(&ticket).map(|started| {
            let elapsed = self.clock.elapsed();
            elapsed.saturating_sub(*started)
        });
        OpenTicket {
            ticket,
            status,
            created: age.and_then(|age| self.clock.now().checked_sub(age).ok()),
            downloaded: state.downloaded.contains(&ticket),
        }
    }

    /// The open tickets.
    pub fn tickets(&self) -> Vec<Ticket> {
        self.state().tickets.keys().copied().collect()
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many requests match.
    pub fn count(&self, matches: impl Fn(&Call) -> bool) -> usize {
        self.state()
            .calls
            .iter()
            .filter(|call| matches(call))
            .count()
    }

    fn latency_of(&self, call: &Call) -> Duration {
        let state = self.state();
        let is_poll = |call: &Call| matches!(call, Call::Status(_) | Call::Statuses(_));
        let polls = || state.calls.iter().filter(|call| is_poll(call)).count();
        let delay = state
            .delay
            .filter(|(nth, _)| is_poll(call) && polls() % nth == 0);
        Duration::from_millis(1) + delay.map_or(Duration::ZERO, |(_, delay)| delay)
    }

    pub(super) async fn receive(&self, call: Call) -> Option<Script> {
        self.clock.sleep(self.latency_of(&call)).await;
        let mut state = self.state();
        state.calls.push(call.clone());
        let found = state
            .scripts
            .iter_mut()
            .find(|(matches, _, times)| *times > 0 && matches(&call));
        found.map(|(_, script, times)| {
            *times -= 1;
            script.clone()
        })
    }

    pub(super) fn status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        let state = self.state();
        let started = *state
            .tickets
            .get(&ticket)
            .ok_or_else(|| missing("GET status"))?;
        let takes = state.item(ticket.item)?.takes;
        let age = self.clock.elapsed().saturating_sub(started);
        let percent = (age.as_millis() * 100)
            .checked_div(takes.as_millis())
            .unwrap_or(100)
            .min(100);
        let cancelled = state.cancelled.contains(&ticket);
        Ok(ExportStatus {
            complete: age >= takes && !cancelled,
            cancelled,
            percentage: i64::try_from(percent).ok().filter(|_| !state.silent),
            ..ExportStatus::default()
        })
    }
}
