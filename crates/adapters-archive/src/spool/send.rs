//! Copying a whole file to where only the system knows what it is: a pipe, a socket, a device.

use std::fs::File;
use std::io;

/// Copied by one call: a signal is answered between two of them.
#[cfg(target_os = "linux")]
const PIECE_BYTES: usize = 8 * 1024 * 1024;

/// Copies a file from its first byte without reading it, where the system can; `None`, and nothing is copied, where it cannot.
///
/// The reader of a pipe may get the very memory of the file: it must not be written to any more.
#[cfg(target_os = "linux")]
pub(super) fn send(from: &File, to: &File) -> io::Result<Option<u64>> {
    use rustix::io::Errno;
    let mut sent = 0;
    loop {
        match rustix::fs::sendfile(to, from, Some(&mut sent), PIECE_BYTES) {
            // A file system that cannot says so with its first answer, some by sending nothing.
            Ok(0) => return Ok((sent > 0).then_some(sent)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if sent == 0 => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send(_: &File, _: &File) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::test_kit::noise;

    #[test]
    fn a_reader_of_a_pipe_gets_every_byte() {
        let content = noise(1, 3_000_000);
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&content).unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let sending = std::thread::spawn(move || send(&from, &File::from(OwnedFd::from(writer))));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        let sent = sending.join().unwrap().unwrap();
        assert!(read == content);
        if cfg!(target_os = "linux") {
            assert_eq!(sent, Some(3_000_000));
        }
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_an_error() {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&noise(1, 3_000_000)).unwrap();
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let error = send(&from, &File::from(OwnedFd::from(writer))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn where_the_system_cannot_nothing_is_sent() {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&noise(1, 3000)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = File::options()
            .create(true)
            .append(true)
            .open(folder.path().join("appended"))
            .unwrap();
        assert_eq!(send(&from, &to).unwrap(), None);
        assert_eq!(to.metadata().unwrap().len(), 0);
    }
}
