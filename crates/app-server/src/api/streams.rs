//! Event streams: each holds a connection for as long as an export takes, so a person has a share of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::model::UserId;

use crate::problem::Problem;

/// Event streams of one person at the same time.
const OF_ONE_PERSON: usize = 6;

type Open = Arc<Mutex<HashMap<UserId, usize>>>;

/// Counts event streams by person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Open);

impl Streams {
    /// A place for one more stream of this person, held until it is dropped.
    pub(super) fn take(&self, person: &UserId) -> Result<Stream, Problem> {
        let mut open = locked(&self.0);
        let count = open.entry(person.clone()).or_default();
        if *count >= OF_ONE_PERSON {
            return Err(Problem::TooManyStreams {
                limit: OF_ONE_PERSON,
            });
        }
        *count += 1;
        Ok(Stream {
            open: Arc::clone(&self.0),
            person: person.clone(),
        })
    }
}

fn locked(open: &Open) -> MutexGuard<'_, HashMap<UserId, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of one stream.
#[derive(Debug)]
pub(super) struct Stream {
    open: Open,
    person: UserId,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = locked(&self.open);
        if let Some(count) = open.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_share_and_what_ends_is_free_again() {
        let streams = Streams::default();
        let (john, mary) = (
            UserId::parse("john").unwrap(),
            UserId::parse("mary").unwrap(),
        );
        let mut held: Vec<_> = (0..OF_ONE_PERSON)
            .map(|_| streams.take(&john).unwrap())
            .collect();
        let refused = streams.take(&john);
        assert!(matches!(refused, Err(Problem::TooManyStreams { limit: 6 })));
        streams.take(&mary).unwrap();
        held.pop();
        held.push(streams.take(&john).unwrap());
        held.clear();
        assert!(locked(&streams.0).is_empty());
    }
}
