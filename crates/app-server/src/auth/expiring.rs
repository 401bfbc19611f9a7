//! A small map whose entries run out.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// At most `capacity` entries, each with the moment at which it runs out. A full map drops the entry that would run out first.
#[derive(Debug)]
pub(super) struct ExpiringMap<K, V> {
    entries: HashMap<K, (V, Duration)>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V> ExpiringMap<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity,
        }
    }

    /// The entry and when it runs out, unless it has run out.
    pub(super) fn get(&self, key: &K, now: Duration) -> Option<(&V, Duration)> {
        self.entries
            .get(key)
            .filter(|(_, until)| *until > now)
            .map(|(value, until)| (value, *until))
    }

    pub(super) fn insert(&mut self, key: K, value: V, until: Duration, now: Duration) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.evict(now);
        }
        self.entries.insert(key, (value, until));
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn evict(&mut self, now: Duration) {
        self.entries.retain(|_, (_, until)| *until > now);
        if self.entries.len() < self.capacity {
            return;
        }
        let first = self
            .entries
            .iter()
            .min_by_key(|(_, (_, until))| *until)
            .map(|(key, _)| key.clone());
        if let Some(first) = first {
            self.entries.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_entry_runs_out_at_its_moment() {
        let mut map = ExpiringMap::new(2);
        map.insert("a", 1, SECOND, Duration::ZERO);
        assert_eq!(map.get(&"a", Duration::ZERO), Some((&1, SECOND)));
        assert_eq!(map.get(&"a", SECOND), None);
    }

    #[test]
    fn a_full_map_forgets_what_would_run_out_first() {
        let mut map = ExpiringMap::new(2);
        map.insert("late", 1, SECOND * 9, Duration::ZERO);
        map.insert("soon", 2, SECOND * 2, Duration::ZERO);
        map.insert("new", 3, SECOND * 3, Duration::ZERO);
        assert_eq!(map.get(&"soon", Duration::ZERO), None);
        assert!(map.get(&"late", Duration::ZERO).is_some());
        assert!(map.get(&"new", Duration::ZERO).is_some());
    }
}
