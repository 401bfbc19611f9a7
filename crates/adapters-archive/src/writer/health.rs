//! Whether the bag can still be written: the first error of the disk ends that for good.
//!
//! Invariant: once it is not sound, it never is again. After a failed write or flush nobody knows what is in a file, so the
//! journal alone decides at the next start what counts.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ports::SinkError;

use super::output::sink_error;

/// See the module.
pub(super) struct Health(Mutex<State>);

enum State {
    Sound,
    /// A writer stopped in the middle of a write, for a reason that is not known here.
    Stopped,
    Failed(SinkError),
}

impl Health {
    pub(super) fn sound() -> Self {
        Self(Mutex::new(State::Sound))
    }

    /// The reason why nothing can be written any more.
    pub(super) fn check(&self) -> Result<(), SinkError> {
        match &*self.lock() {
            State::Sound => Ok(()),
            State::Stopped => Err(SinkError::Stopped),
            // Several writers may fail at once, and the run sees the error of any one: each must give the cause.
            State::Failed(error) => Err(same_error(error).unwrap_or(SinkError::Stopped)),
        }
    }

    /// From now on everything fails, for the first reason that is known.
    pub(super) fn fail(&self, because: &SinkError) {
        let mut state = self.lock();
        if !matches!(*state, State::Failed(_)) {
            *state = same_error(because).map_or(State::Stopped, State::Failed);
        }
    }

    /// Does something with the disk; an error is the end.
    pub(super) fn or_fail<T>(
        &self,
        action: &'static str,
        path: &Path,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, SinkError> {
        act()
            .map_err(|source| sink_error(action, path, source))
            .inspect_err(|error| self.fail(error))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same error for one more caller; `None` for those that are not about the disk.
fn same_error(error: &SinkError) -> Option<SinkError> {
    match error {
        SinkError::NoSpace { path, needed } => Some(SinkError::NoSpace {
            path: path.clone(),
            needed: *needed,
        }),
        SinkError::Io {
            action,
            path,
            source,
        } => Some(SinkError::Io {
            action,
            path: path.clone(),
            source: source.raw_os_error().map_or_else(
                || io::Error::new(source.kind(), source.to_string()),
                io::Error::from_raw_os_error,
            ),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_of_the_disk_is_everybody_s_reason() {
        let health = Health::sound();
        assert!(health.check().is_ok());
        health.fail(&SinkError::Stopped);
        assert!(matches!(health.check(), Err(SinkError::Stopped)));
        let full = |name: &str| SinkError::NoSpace {
            path: name.into(),
            needed: None,
        };
        health.fail(&full("first"));
        health.fail(&full("second"));
        health.fail(&SinkError::Stopped);
        let reason = health.check().unwrap_err();
        assert!(
            matches!(&reason, SinkError::NoSpace { path, .. } if path == Path::new("first")),
            "{reason}"
        );
    }

    #[test]
    fn an_error_of_the_disk_ends_everything() {
        let health = Health::sound();
        let path = Path::new("bag");
        assert_eq!(health.or_fail("write", path, || Ok(1)).unwrap(), 1);
        let failed = health.or_fail("write", path, || Err::<(), _>(io::Error::other("broken")));
        assert!(failed.is_err());
        assert!(matches!(health.check(), Err(SinkError::Io { .. })));
    }
}
