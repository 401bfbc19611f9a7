//! Which paths of the bag are in use.
//!
//! Invariant: a path belongs to one entry at most, open or in the bag. An entry that is discarded or interrupted gives its path
//! back, whatever way it ends: dropping the [`Reservation`] does it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::model::BagPath;
use domain::ports::SinkError;

/// The paths of one bag that are in use.
#[derive(Clone)]
pub struct Paths(Arc<Mutex<HashSet<BagPath>>>);

impl Paths {
    /// These are in the bag.
    pub fn in_bag(paths: impl IntoIterator<Item = BagPath>) -> Self {
        Self(Arc::new(Mutex::new(paths.into_iter().collect())))
    }

    /// Takes a path for one entry.
    pub fn reserve(&self, path: &BagPath) -> Result<Reservation, SinkError> {
        if self.lock().insert(path.clone()) {
            Ok(Reservation {
                paths: self.clone(),
                path: Some(path.clone()),
            })
        } else {
            Err(SinkError::Duplicate { path: path.clone() })
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<BagPath>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open entry's right to its path.
pub struct Reservation {
    paths: Paths,
    /// `None` once the entry is in the bag.
    path: Option<BagPath>,
}

impl Reservation {
    /// The entry is in the bag, and its path with it.
    pub fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            self.paths.lock().remove(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_kit::path;

    #[test]
    fn a_path_is_free_again_unless_its_entry_is_kept() {
        let paths = Paths::in_bag([path("data/there")]);
        let is_free = |name: &str| paths.reserve(&path(name)).is_ok();
        assert!(!is_free("data/there"));
        let open = paths.reserve(&path("data/a")).unwrap();
        assert!(!is_free("data/a"));
        drop(open);
        assert!(is_free("data/a"));
        paths.reserve(&path("data/a")).unwrap().keep();
        assert!(!is_free("data/a"));
    }
}
