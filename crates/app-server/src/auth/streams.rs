//! A person's share of event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::model::UserId;

/// Event streams of one person at the same time.
pub(crate) const PER_PERSON: usize = 6;

/// Counts the event streams of each person.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventStreams(Arc<Mutex<HashMap<UserId, usize>>>);

/// A place for one stream. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    streams: EventStreams,
    owner: UserId,
}

impl EventStreams {
    fn counts(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a stream, unless all of this person's are taken.
    pub(crate) fn enter(&self, owner: &UserId) -> Option<StreamPermit> {
        let mut counts = self.counts();
        let taken = counts.get(owner).copied().unwrap_or(0);
        if taken >= PER_PERSON {
            return None;
        }
        counts.insert(owner.clone(), taken + 1);
        Some(StreamPermit {
            streams: self.clone(),
            owner: owner.clone(),
        })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut counts = self.streams.counts();
        match counts.get_mut(&self.owner) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => {
                counts.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_six_streams_and_others_do_not_notice() {
        let streams = EventStreams::default();
        let user = |login| UserId::parse(login).unwrap();
        let mut held: Vec<_> = (0..PER_PERSON)
            .map(|_| streams.enter(&user("john")).unwrap())
            .collect();
        assert!(streams.enter(&user("john")).is_none());
        assert!(streams.enter(&user("mary")).is_some());
        held.pop();
        assert!(streams.enter(&user("john")).is_some());
        drop(held);
        assert!(streams.counts().is_empty());
    }
}
