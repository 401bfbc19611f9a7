//! Slots in memory, fenced by the leases of a [`MemoryJobStore`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;

use super::MemoryJobStore;
use super::lock::locked;
use crate::jobs::{Freed, JobId, Lease, RunWriter, Slot, SlotRules, Slots, SlotsError};
use crate::model::ItemRef;

/// Slots in memory.
pub struct MemorySlots {
    jobs: Arc<MemoryJobStore>,
    slots: u32,
    state: Mutex<State>,
    turns: Mutex<Vec<Arc<Mutex<Unheard>>>>,
}

/// Turns that somebody has not heard of yet.
#[derive(Default)]
struct Unheard {
    jobs: VecDeque<JobId>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    taken: BTreeMap<u32, (JobId, ItemRef)>,
    wanted: BTreeMap<JobId, Wanted>,
}

/// Since when a job waits, for how many, and until when it is thought to.
#[derive(Clone, Copy)]
struct Wanted {
    since: Timestamp,
    until: Timestamp,
    slots: usize,
}

/// The part of a job in the order of those that wait: whether it is of a campaign, and whether it is none that was taken over and has no
/// slot; then since when it waits.
type Place = (bool, bool, Timestamp, JobId);

impl State {
    fn has_one(&self, job: &JobId) -> bool {
        self.taken.values().any(|owner| owner.0 == *job)
    }

    fn of(&self, owner: &(JobId, ItemRef)) -> Option<u32> {
        let slot = self.taken.iter().find(|(_, of)| *of == owner);
        slot.map(|(slot, _)| *slot)
    }
}

/// What a job of each is: of a campaign, and taken over.
type Standings = BTreeMap<JobId, (bool, bool)>;

/// The jobs that wait besides one, in order.
fn waiting(
    state: &State,
    standings: &Standings,
    now: Timestamp,
    but: &JobId,
) -> Vec<(Place, usize)> {
    let others = state
        .wanted
        .iter()
        .filter(|(job, wanted)| *job != but && wanted.slots > 0 && wanted.until > now);
    let mut waiting: Vec<(Place, usize)> = others
        .filter_map(|(job, wanted)| {
            let place = place(state, standings, job, wanted.since)?;
            Some((place, wanted.slots))
        })
        .collect();
    waiting.sort();
    waiting
}

fn place(state: &State, standings: &Standings, job: &JobId, since: Timestamp) -> Option<Place> {
    let (is_of_campaign, taken_over) = *standings.get(job)?;
    let is_behind = !taken_over || state.has_one(job);
    Some((is_of_campaign, is_behind, since, job.clone()))
}

impl MemorySlots {
    /// So many slots; the leases are those of this store.
    pub fn new(jobs: Arc<MemoryJobStore>, slots: u32) -> Self {
        Self {
            jobs,
            slots,
            state: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Frees what belongs to jobs that are over. What those that run are: the two locks are never held at once here, since writers take them
    /// in the other order.
    fn tidied(&self) -> Standings {
        let known: Vec<JobId> = {
            let state = self.state();
            let owners = state.taken.values().map(|owner| owner.0.clone());
            owners.chain(state.wanted.keys().cloned()).collect()
        };
        let over: Vec<&JobId> = known
            .iter()
            .filter(|job| !self.jobs.is_unfinished(job))
            .collect();
        let mut state = self.state();
        state.taken.retain(|_, owner| !over.contains(&&owner.0));
        state.wanted.retain(|job, _| !over.contains(&job));
        drop(state);
        let standing = |job: JobId| Some((job.clone(), self.jobs.standing(&job)?));
        known.into_iter().filter_map(standing).collect()
    }

    /// The same, and this one's.
    fn standings(&self, job: &JobId) -> Standings {
        let mut standings = self.tidied();
        let own = self.jobs.standing(job);
        standings.extend(own.map(|own| (job.clone(), own)));
        standings
    }

    fn call(&self, job: &JobId) {
        for unheard in locked(&self.turns).iter() {
            let mut unheard = locked(unheard);
            unheard.jobs.push_back(job.clone());
            if let Some(waker) = unheard.waker.take() {
                waker.wake();
            }
        }
    }

    fn held<T>(&self, lease: &Lease, step: impl FnOnce(&mut State) -> T) -> Result<T, SlotsError> {
        let writer = RunWriter::Holder(lease.clone());
        let done = self.jobs.as_writer(&writer, || step(&mut self.state()));
        done.ok_or_else(|| SlotsError::Lost {
            id: lease.job.clone(),
        })
    }
}

#[async_trait]
impl Slots for MemorySlots {
    async fn take(
        &self,
        lease: &Lease,
        items: &[ItemRef],
    ) -> Result<Vec<(ItemRef, Slot)>, SlotsError> {
        let (standings, now) = (self.standings(&lease.job), self.jobs.moment());
        self.held(lease, |state| {
            let before = state.wanted.get(&lease.job);
            let before = before.filter(|wanted| wanted.until > now);
            let since = before.map_or(now, |wanted| wanted.since);
            let place = place(state, &standings, &lease.job, since);
            let others = waiting(state, &standings, now, &lease.job);
            let ahead: usize = others
                .iter()
                .filter(|(other, _)| Some(other) < place.as_ref())
                .map(|(_, slots)| slots)
                .sum();
            let free: Vec<u32> = (1..=self.slots)
                .filter(|slot| !state.taken.contains_key(slot))
                .collect();
            let mut free = free.into_iter().rev().skip(ahead).collect::<Vec<u32>>();
            let (mut got, mut was_served, mut lacking) = (Vec::new(), false, 0);
            for item in items {
                let owner = (lease.job.clone(), *item);
                let slot = match state.of(&owner) {
                    Some(own) => Some(own),
                    None => free.pop().inspect(|slot| {
                        was_served = true;
                        state.taken.insert(*slot, owner);
                    }),
                };
                match slot {
                    Some(slot) => got.push((*item, Slot(slot))),
                    None => lacking += 1,
                }
            }
            let wanted = Wanted {
                since: if was_served { now } else { since },
                until: now + SlotRules::WANTED_FOR,
                slots: lacking,
            };
            state.wanted.insert(lease.job.clone(), wanted);
            got
        })
    }

    async fn give_back(
        &self,
        lease: &Lease,
        item: &ItemRef,
        next: Option<ItemRef>,
    ) -> Result<Freed, SlotsError> {
        let (standings, now) = (self.standings(&lease.job), self.jobs.moment());
        let is_of_campaign = standings.get(&lease.job).is_some_and(|standing| standing.0);
        self.held(lease, |state| {
            let job = &lease.job;
            let Some(slot) = state.of(&(job.clone(), *item)) else {
                return Freed::Nobody;
            };
            let others = waiting(state, &standings, now, job);
            let is_before = |((of_campaign, is_behind, since, other), _): &(Place, usize)| {
                let is_patient = !state.has_one(other) && *since + SlotRules::PATIENCE <= now;
                match of_campaign.cmp(&is_of_campaign) {
                    std::cmp::Ordering::Less => true,
                    std::cmp::Ordering::Equal => !is_behind || is_patient,
                    std::cmp::Ordering::Greater => false,
                }
            };
            let next = next.map(|next| (job.clone(), next));
            let next = next.filter(|next| state.of(next).is_none());
            if let Some(next) = next.filter(|_| !others.iter().any(is_before)) {
                state.taken.insert(slot, next);
                if let Some(wanted) = state.wanted.get_mut(job) {
                    wanted.slots = wanted.slots.saturating_sub(1);
                }
                return Freed::Passed;
            }
            let taken = state.taken.len();
            let free = usize::try_from(self.slots).map_or(0, |slots| slots.saturating_sub(taken));
            state.taken.remove(&slot);
            let mut reach = 0;
            let first = others.into_iter().find(|(_, slots)| {
                reach += slots;
                reach > free
            });
            first.map_or(Freed::Nobody, |((.., job), _)| {
                self.call(&job);
                Freed::For(job)
            })
        })
    }

    fn turns(&self) -> BoxStream<'static, JobId> {
        let unheard = Arc::new(Mutex::new(Unheard::default()));
        locked(&self.turns).push(Arc::clone(&unheard));
        stream::poll_fn(move |context| {
            let mut unheard = locked(&unheard);
            unheard.waker = Some(context.waker().clone());
            match unheard.jobs.pop_front() {
                Some(job) => Poll::Ready(Some(job)),
                None => Poll::Pending,
            }
        })
        .boxed()
    }

    async fn taken(&self) -> Result<usize, SlotsError> {
        self.tidied();
        Ok(self.state().taken.len())
    }
}
