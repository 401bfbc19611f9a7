//! Work on passing bytes in a thread of its own, so that it overlaps with the work of others on the same bytes.

use std::io;
use std::thread::{self, JoinHandle};

use bytes::Bytes;

/// Starts a thread that gives each piece to `update`, until no more come or one of them fails. It ends with what came of `state`.
pub(crate) fn beside<T: Send + 'static, E: Send + 'static>(
    name: &str,
    pieces: impl Iterator<Item = Bytes> + Send + 'static,
    mut state: T,
    mut update: impl FnMut(&mut T, &[u8]) -> Result<(), E> + Send + 'static,
) -> io::Result<JoinHandle<Result<T, E>>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        for piece in pieces {
            update(&mut state, &piece)?;
        }
        Ok(state)
    })
}
