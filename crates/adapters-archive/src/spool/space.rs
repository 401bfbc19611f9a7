//! Free space.

use std::fs::File;
use std::path::Path;

/// Bytes that this process can still write into a folder's file system; `None` where that cannot say.
///
/// Blocks that are reserved for the superuser are free for the superuser only.
pub fn free_space(folder: &Path) -> Option<u64> {
    let counts = rustix::fs::statvfs(folder).ok()?;
    // A file system without blocks does not know how much is free: object stores, FUSE.
    if counts.f_blocks == 0 || counts.f_frsize == 0 {
        return None;
    }
    let blocks = if rustix::process::geteuid().is_root() {
        counts.f_bfree
    } else {
        counts.f_bavail
    };
    Some(blocks.saturating_mul(counts.f_frsize))
}

/// Gives the blocks of bytes that nobody needs back to the file system, where it can take them out of a file. They are read as zeros
/// then; the file stays as long as it is.
pub(crate) fn release(file: &File, from: u64, to: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        // Where it cannot, they are free only once somebody else is written there.
        let _ = fallocate(file, flags, from, to.saturating_sub(from));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, from, to);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::*;

    #[test]
    fn bytes_that_nobody_needs_take_no_space() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&vec![7; 3 << 20], 0).unwrap();
        file.sync_all().unwrap();
        let before = file.metadata().unwrap();
        release(&file, 1 << 20, 2 << 20);
        let after = file.metadata().unwrap();
        assert_eq!(after.len(), before.len());
        if cfg!(target_os = "linux") {
            assert!(after.blocks() * 512 <= before.blocks() * 512 - (1 << 20) + 8192);
        }
        let mut around = [0; 2];
        file.read_exact_at(&mut around[..1], (1 << 20) - 1).unwrap();
        file.read_exact_at(&mut around[1..], 2 << 20).unwrap();
        assert_eq!(around, [7, 7]);
    }

    #[test]
    fn a_folder_that_is_not_there_says_nothing() {
        assert_eq!(free_space(Path::new("/nowhere/at/all")), None);
    }
}
