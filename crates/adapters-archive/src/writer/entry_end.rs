//! How an open entry ends, as its writer says to its thread.
//!
//! The end has a channel of its own, which holds one message and never makes its sender wait: a writer that is dropped cannot await
//! anything. That the channel of chunks is closed says only that no more chunks come. What becomes of the entry is always read from
//! this one.

use tokio::sync::{mpsc, oneshot};

use super::paths::Reservation;
use bytes::Bytes;
use domain::ports::StoredBytes;

/// Chunks in flight to each thread: pieces of [`PIECE_BYTES`](crate::pieces::PIECE_BYTES) at most.
pub(super) const QUEUE_CHUNKS: usize = 3;

/// What an entry's thread gets.
pub(super) enum Chunk {
    /// Bytes, which the check has got too.
    Bytes(Bytes),
    /// Where bytes lie.
    Stored(Stored),
}

/// Bytes that an entry's thread is to copy. Whoever sends this waits until it is answered: the check gets its bytes in their order.
pub(super) struct Stored {
    /// Where they lie.
    pub(super) from: StoredBytes,
    /// The queue of the check, where there is one.
    pub(super) checked: Option<mpsc::Sender<Bytes>>,
    /// Gets their number, as many as were taken.
    pub(super) taken: oneshot::Sender<u64>,
}

/// How an entry ends.
pub(super) enum End {
    /// It is whole, as far as its writer knows.
    Closed(Reservation),
    /// Nobody wants it any more.
    Discarded,
    /// The run stops: what is recorded of it is resumed by the next one.
    Interrupted,
}

/// The writer's side.
pub(super) struct Sender {
    chunks: mpsc::Sender<Chunk>,
    end: oneshot::Sender<End>,
}

/// The thread's side.
pub(super) struct Receiver {
    chunks: mpsc::Receiver<Chunk>,
    end: oneshot::Receiver<End>,
}

/// Both sides of one entry.
pub(super) fn channel() -> (Sender, Receiver) {
    let (chunks, chunks_received) = mpsc::channel(QUEUE_CHUNKS);
    let (end, end_received) = oneshot::channel();
    let sender = Sender { chunks, end };
    let receiver = Receiver {
        chunks: chunks_received,
        end: end_received,
    };
    (sender, receiver)
}

impl Sender {
    /// A place for one chunk; `None` where the thread has ended.
    pub(super) async fn reserve(&self) -> Option<mpsc::Permit<'_, Chunk>> {
        self.chunks.reserve().await.ok()
    }

    /// Says how the entry ends. The thread takes the chunks that were sent before first.
    pub(super) fn end(self, end: End) {
        // A thread that has ended says why in its outcome.
        let _ = self.end.send(end);
    }
}

impl Receiver {
    /// The next chunk; `None` after the last.
    pub(super) fn next_chunk(&mut self) -> Option<Chunk> {
        self.chunks.blocking_recv()
    }

    /// How the entry ends; to be asked after the last chunk.
    pub(super) fn end(self) -> End {
        // Writers always say it. One that could not, because it panicked, has certainly not closed the entry, and did not ask for
        // anything to be removed.
        self.end.blocking_recv().unwrap_or(End::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_is_said_behind_the_last_chunk() {
        let (sender, mut receiver) = channel();
        for _ in 0..QUEUE_CHUNKS {
            sender
                .reserve()
                .await
                .unwrap()
                .send(Chunk::Bytes(Bytes::from_static(b"1")));
        }
        // The queue is full, and the end is said all the same.
        sender.end(End::Discarded);
        let thread = std::thread::spawn(move || {
            let mut chunks = 0;
            while receiver.next_chunk().is_some() {
                chunks += 1;
            }
            (chunks, receiver.end())
        });
        let (chunks, end) = thread.join().unwrap();
        assert_eq!(chunks, QUEUE_CHUNKS);
        assert!(matches!(end, End::Discarded));
    }

    #[tokio::test]
    async fn channels_that_close_alone_close_and_discard_nothing() {
        let (sender, receiver) = channel();
        drop(sender);
        let end = std::thread::spawn(move || receiver.end()).join().unwrap();
        assert!(matches!(end, End::Interrupted));
    }
}
