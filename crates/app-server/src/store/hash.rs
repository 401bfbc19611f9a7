//! The SHA-256 of a whole file, read off the runtime's own threads.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use domain::model::{Sha256, Sha256Hasher};

const BUFFER_BYTES: usize = 256 * 1024;

/// Reads the file from its beginning to its end.
pub(super) async fn sha256_of(path: PathBuf) -> io::Result<Sha256> {
    let read = tokio::task::spawn_blocking(move || {
        let mut file = File::open(path)?;
        let mut sum = Sha256Hasher::default();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(sum.finish()),
                Ok(read) => sum.update(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    });
    read.await.map_err(io::Error::other)?
}
