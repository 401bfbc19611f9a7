//! A body that leaves: how long nothing of it has moved.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

/// When a piece of the body was taken last.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing(Arc<Mutex<Instant>>);

impl Default for Outgoing {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Outgoing {
    /// The same stream; each piece that is taken from it counts.
    ///
    /// Before each piece, what has arrived is read: a server that refuses an upload answers and then resets the connection, and a write after
    /// that ends in an error that hides the answer.
    pub(crate) fn watching<S: Stream>(&self, body: S) -> impl Stream<Item = S::Item> + use<S> {
        let outgoing = self.clone();
        body.then(move |piece| {
            let outgoing = outgoing.clone();
            async move {
                yield_now().await;
                outgoing.moved();
                piece
            }
        })
    }

    fn moved(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn still_for(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }

    /// Waits for the answer as long as no pause between two pieces, or after the last, is longer than `silence`: an upload may take
    /// hours.
    pub(crate) async fn while_it_moves<T>(
        &self,
        silence: Duration,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let mut answer = pin!(answer);
        loop {
            let left = silence.saturating_sub(self.still_for());
            match timeout(left, &mut answer).await {
                Ok(answer) => return Some(answer),
                Err(_) if self.still_for() >= silence => return None,
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    /// Long beside the pauses, so that a busy machine changes nothing.
    const SILENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_upload_may_take_long_as_long_as_it_moves() {
        let outgoing = Outgoing::default();
        let slow = outgoing.watching(stream::iter(0..6).then(|piece| async move {
            tokio::time::sleep(SILENCE / 5).await;
            piece
        }));
        let taken = outgoing.while_it_moves(SILENCE, slow.count()).await;
        assert_eq!(taken, Some(6));
    }

    #[tokio::test]
    async fn a_pause_that_is_too_long_ends_it() {
        let outgoing = Outgoing::default();
        let never = std::future::pending::<()>();
        let never = outgoing.while_it_moves(Duration::from_millis(20), never);
        assert_eq!(never.await, None);
    }
}
