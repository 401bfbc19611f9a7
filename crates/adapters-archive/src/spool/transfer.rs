//! Bytes from one file into another inside of the system, which may only note where they are (a file system that shares them between
//! files), or have a file server move them.

use std::fs::File;

/// Copies bytes from a place of one file to a place of another; how many. Zero is no error: whoever can read and write them finds out
/// what is the matter.
#[cfg(target_os = "linux")]
pub(super) fn transfer(from: (&File, u64), to: (&File, u64), bytes: u64) -> u64 {
    let (mut from_at, mut to_at) = (from.1, to.1);
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX);
        let from_at = Some(&mut from_at);
        match rustix::fs::copy_file_range(from.0, from_at, to.0, Some(&mut to_at), length) {
            Ok(0) => break,
            Ok(copied) => left = left.saturating_sub(copied as u64),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    bytes - left
}

#[cfg(not(target_os = "linux"))]
pub(super) fn transfer(_: (&File, u64), _: (&File, u64), _: u64) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;
    use crate::test_kit::noise;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn a_part_of_a_file_gets_to_a_place_of_another() {
        let content = noise(1, 300_000);
        let (from, mut to) = (file(&content), file(&[7; 100]));
        let copied = transfer((&from, 1000), (&to, 50), 200_000);
        if cfg!(not(target_os = "linux")) {
            return assert_eq!(copied, 0);
        }
        assert_eq!(copied, 200_000);
        let mut read = Vec::new();
        to.rewind().unwrap();
        to.read_to_end(&mut read).unwrap();
        assert!(read[..50] == [7; 50] && read[50..] == content[1000..201_000]);
    }

    #[test]
    fn no_more_is_copied_than_there_is() {
        let (from, to) = (file(&noise(1, 3000)), file(b""));
        assert!(transfer((&from, 1000), (&to, 0), 5000) <= 2000);
        assert_eq!(transfer((&from, 9000), (&to, 0), 5000), 0);
    }

    #[test]
    fn where_the_system_cannot_nothing_is_copied() {
        let (from, to) = (file(&noise(1, 3000)), std::io::pipe().unwrap().1);
        let to = File::from(std::os::fd::OwnedFd::from(to));
        assert_eq!(transfer((&from, 0), (&to, 0), 3000), 0);
    }
}
