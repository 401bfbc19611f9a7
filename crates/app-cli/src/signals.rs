//! Signals that end the command: the first lets a run end in order, the second ends the process.

use std::future::Future;
use std::io;

use crate::compose;
use crate::compose::Signal;
use crate::exit::Ending;

/// Listens for signals from the moment it is made.
pub(crate) struct Signals(compose::Signals);

impl Signals {
    /// From now on signals no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self(compose::Signals::listen()?))
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        self.0.next().await
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
