//! Signals that end the command: the first lets a run end in order, the second ends the process.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use crate::compose;
use crate::compose::Signal;
use crate::exit::Ending;

/// Listens for signals from the moment it is made.
pub(crate) struct Signals {
    signals: compose::Signals,
    /// When the last one came.
    came: Option<Instant>,
}

/// The moment by which everything that a signal ends has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So much time at most, and no more than is left.
    pub(crate) fn at_most(self, limit: Duration) -> Duration {
        limit.min(self.0.saturating_duration_since(Instant::now()))
    }
}

impl Signals {
    /// From now on signals no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            signals: compose::Signals::listen()?,
            came: None,
        })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        let signal = self.signals.next().await;
        self.came = Some(Instant::now());
        signal
    }

    /// So long after the signal that came, or after now.
    pub(crate) fn deadline(&self, time: Duration) -> Deadline {
        Deadline(self.came.unwrap_or_else(Instant::now) + time)
    }

    /// Runs `work` until it is done or a signal comes, which drops it.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            biased;
            signal = self.next() => Err(signal),
            done = work => Ok(done),
        }
    }

    /// The next signal ends the process at once: somebody does not want to wait.
    pub(crate) fn end_at_next(mut self) {
        tokio::spawn(async move {
            let signal = self.next().await;
            leave(signal);
        });
    }
}

#[expect(clippy::exit, reason = "a second signal means: now")]
fn leave(signal: Signal) -> ! {
    std::process::exit(i32::from(Ending::Interrupted(signal).status()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_leaves_less_for_the_rest() {
        let second = Duration::from_secs(1);
        let fresh = Deadline(Instant::now() + 10 * second);
        assert_eq!(fresh.at_most(second), second);
        let spent = Deadline(Instant::now());
        assert_eq!(spent.at_most(second), Duration::ZERO);
    }
}
