//! What is found out about a file's bytes: their sum, and whether they are a whole gzip file where they must be. Of a long file each of
//! the two has a thread of its own, beside the one that reads.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use domain::bag::GzipCheck;
use domain::model::{Sha256, Sha256Hasher};
use domain::ports::CheckFailure;

use crate::beside::beside;

/// Pieces in flight to each thread. A queue that is full makes the reader wait.
const QUEUE_PIECES: usize = 3;

/// What the sums came to.
pub(super) struct Summed {
    pub(super) sha256: Sha256,
    /// The size inflated, or what is wrong, where that was asked.
    pub(super) gzip: Option<Result<u64, CheckFailure>>,
}

/// The sums of one file.
pub(super) enum Sums {
    Here {
        hasher: Sha256Hasher,
        gzip: Option<Box<GzipCheck>>,
    },
    InThreads {
        hasher: InThread<Sha256Hasher>,
        gzip: Option<InThread<GzipCheck>>,
    },
}

/// A thread, and the queue of its pieces.
pub(super) struct InThread<T> {
    queue: SyncSender<Bytes>,
    thread: JoinHandle<Result<T, Infallible>>,
}

impl Sums {
    /// In the thread that asks: best for a short file.
    pub(super) fn here(is_archive: bool) -> Self {
        Self::Here {
            hasher: Sha256Hasher::default(),
            gzip: is_archive.then(Box::default),
        }
    }

    /// In threads of their own. An error says that there can be no more threads.
    pub(super) fn in_threads(is_archive: bool) -> io::Result<Self> {
        let hasher = InThread::start("bag sum", Sha256Hasher::default(), Sha256Hasher::update)?;
        // The check keeps its failure.
        let check = |check: &mut GzipCheck, piece: &[u8]| drop(check.update(piece));
        let gzip = is_archive.then(|| InThread::start("bag check", GzipCheck::new(), check));
        Ok(Self::InThreads {
            hasher,
            gzip: gzip.transpose()?,
        })
    }

    pub(super) fn update(&mut self, piece: &Bytes) {
        match self {
            Self::Here { hasher, gzip } => {
                hasher.update(piece);
                if let Some(gzip) = gzip {
                    // The check keeps its failure.
                    let _ = gzip.update(piece);
                }
            }
            Self::InThreads { hasher, gzip } => {
                hasher.send(piece);
                if let Some(gzip) = gzip {
                    gzip.send(piece);
                }
            }
        }
    }

    /// Waits for the threads. An error says that one has panicked.
    pub(super) fn finish(self) -> io::Result<Summed> {
        let (hasher, gzip) = match self {
            Self::Here { hasher, gzip } => (hasher, gzip.map(|check| *check)),
            Self::InThreads { hasher, gzip } => {
                let gzip = gzip.map(InThread::finish).transpose()?;
                (hasher.finish()?, gzip)
            }
        };
        Ok(Summed {
            sha256: hasher.finish(),
            gzip: gzip.map(GzipCheck::finish),
        })
    }
}

impl<T: Send + 'static> InThread<T> {
    fn start(
        name: &str,
        state: T,
        mut update: impl FnMut(&mut T, &[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, pieces) = sync_channel::<Bytes>(QUEUE_PIECES);
        let thread = beside(name, pieces.into_iter(), state, move |state, piece| {
            update(state, piece);
            Ok(())
        })?;
        Ok(Self { queue, thread })
    }

    fn send(&self, piece: &Bytes) {
        // Only a thread that has panicked takes nothing more; `finish` reports it.
        let _ = self.queue.send(piece.clone());
    }

    fn finish(self) -> io::Result<T> {
        drop(self.queue);
        match self.thread.join() {
            Ok(Ok(state)) => Ok(state),
            Err(_) => Err(io::Error::other("a thread that summed up has stopped")),
        }
    }
}
