//! How much memory a passphrase costs, and whether this process may have as much.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

const MIB: u64 = 1024 * 1024;
/// What else is needed meanwhile.
const RESERVE_BYTES: u64 = 8 * MIB;

/// Less memory than is needed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("it needs {} of memory, and {limit}", in_words(*needed_bytes))]
pub struct Short {
    /// What is needed.
    pub needed_bytes: u64,
    /// What there is, in words.
    pub limit: String,
}

/// The memory that scrypt takes at this cost (a power of two, with blocks of 1 KiB).
pub(crate) fn scrypt_bytes(log_n: u8) -> u64 {
    1024_u64
        .checked_shl(u32::from(log_n.min(53)))
        .unwrap_or(u64::MAX)
}

/// A number of bytes for people.
pub(crate) fn in_words(bytes: u64) -> String {
    if bytes >= 1024 * MIB {
        format!("{} GiB", bytes.div_ceil(1024 * MIB))
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

/// Whether scrypt at this cost fits into what the process may have. What the system does not say limits nothing.
pub(crate) fn check_scrypt(log_n: u8) -> Result<(), Short> {
    let needed_bytes = scrypt_bytes(log_n);
    let short = |limit| {
        Err(Short {
            needed_bytes,
            limit,
        })
    };
    let wanted = needed_bytes.saturating_add(RESERVE_BYTES);
    if !can_be_reserved(wanted) {
        return short("this process cannot have as much".to_owned());
    }
    match available() {
        Some((bytes, whose)) if bytes < wanted => {
            short(format!("{whose} has {} left", in_words(bytes)))
        }
        _ => Ok(()),
    }
}

/// Limits of the process on its addresses (`ulimit -v`) show when they are asked for; nothing is written to them.
fn can_be_reserved(bytes: u64) -> bool {
    let Ok(bytes) = usize::try_from(bytes) else {
        return false;
    };
    Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// The least that the machine and the control groups around this process have left, and whose it is.
fn available() -> Option<(u64, &'static str)> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| left_on_machine(&text))
        .map(|bytes| (bytes, "this machine"));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group_folders(&groups)
        .iter()
        .filter_map(|folder| left_in_group(folder))
        .min()
        .map(|bytes| (bytes, "this container"));
    [machine, group].into_iter().flatten().min()
}

fn left_on_machine(meminfo: &str) -> Option<u64> {
    let kib = |key: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    let left = kib("MemAvailable")?.saturating_add(kib("SwapFree").unwrap_or(0));
    Some(left.saturating_mul(1024))
}

/// Each control group of this process that can limit memory, and all groups around it.
fn group_folders(cgroup: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let root = match controllers {
            "" => Path::new("/sys/fs/cgroup"),
            controllers if controllers.split(',').any(|name| name == "memory") => {
                Path::new("/sys/fs/cgroup/memory")
            }
            _ => continue,
        };
        let inside = root.join(path.trim_start_matches('/'));
        let around = inside
            .ancestors()
            .take_while(|folder| folder.starts_with(root));
        folders.extend(around.map(Path::to_owned));
    }
    folders
}

/// What a control group may still take. Files that it keeps in memory make way.
fn left_in_group(folder: &Path) -> Option<u64> {
    let number = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse().ok()
    };
    let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let files = statistics
        .lines()
        .filter_map(|line| {
            let (key, bytes) = line.split_once(' ')?;
            let of_files = matches!(key, "inactive_file" | "active_file");
            of_files.then(|| bytes.parse::<u64>().ok())?
        })
        .sum();
    let swap = match (number("memory.swap.max"), number("memory.swap.current")) {
        (Some(limit), Some(used)) => limit.saturating_sub(used),
        _ => 0,
    };
    let held = used.saturating_sub(files);
    Some(limit.saturating_sub(held).saturating_add(swap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_costs_what_scrypt_takes() {
        for (log_n, words) in [
            (18, "256 MiB"),
            (20, "1 GiB"),
            (22, "4 GiB"),
            (24, "16 GiB"),
        ] {
            assert_eq!(in_words(scrypt_bytes(log_n)), words);
        }
        assert!(check_scrypt(10).is_ok());
        let short = check_scrypt(63).unwrap_err();
        assert!(short.to_string().contains("of memory, and"), "{short}");
    }

    #[test]
    fn what_a_container_has_left_is_its_limit_less_what_it_cannot_give_up() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(left_in_group(folder.path()), None);
        write("memory.max", "max\n");
        write("memory.current", "5000\n");
        assert_eq!(left_in_group(folder.path()), None);
        write("memory.max", "10000\n");
        assert_eq!(left_in_group(folder.path()), Some(5000));
        write(
            "memory.stat",
            "anon 1000\ninactive_file 3000\nactive_file 1000\n",
        );
        assert_eq!(left_in_group(folder.path()), Some(9000));
    }

    #[test]
    fn the_groups_around_a_process_are_looked_at_too() {
        let folders = group_folders("0::/user.slice/app\n7:cpu,memory:/docker/x\n3:pids:/y\n");
        let names: Vec<_> = folders
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            names,
            [
                "/sys/fs/cgroup/user.slice/app",
                "/sys/fs/cgroup/user.slice",
                "/sys/fs/cgroup",
                "/sys/fs/cgroup/memory/docker/x",
                "/sys/fs/cgroup/memory/docker",
                "/sys/fs/cgroup/memory",
            ]
        );
        let meminfo = "MemTotal: 9 kB\nMemAvailable:    2048 kB\nSwapFree: 1024 kB\n";
        assert_eq!(left_on_machine(meminfo), Some(3 * MIB));
    }
}
