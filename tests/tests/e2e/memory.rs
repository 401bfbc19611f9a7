//! Memory stays small however large the archives are.

use std::fs;

use sandbox::scenario::{ItemKind, ItemScenario};
use tests::kit::{Child, quick};

use crate::site;

/// Most that the program may ever have resident, in KiB. A build without optimisation holds a larger program.
const MOST_KIB: u64 = if cfg!(debug_assertions) { 96 } else { 64 } * 1024;

#[test]
fn three_hundred_mebibytes_pass_through_little_memory() {
    let mut scenario = quick();
    scenario.data.appliances = 2;
    for id in [201, 202] {
        let mut item = ItemScenario::new(ItemKind::Appliance, id);
        item.archive_bytes = Some(150 << 20);
        scenario = scenario.with_item(item);
    }
    let site = site(scenario);
    for name in ["j.zip", "j.tar"] {
        let mut child = site.program.spawn(site.export_to(name));
        let most = most_resident_kib(&mut child);
        child.wait().expect_status(0);
        let bytes = fs::metadata(site.path(name)).unwrap().len();
        assert!(bytes > 290 << 20, "{bytes}");
        assert!(most > 0 && most < MOST_KIB, "{most} KiB at most");
        fs::remove_file(site.path(name)).unwrap();
    }
}

/// Waits until it has ended. The most that it had resident, in KiB.
fn most_resident_kib(child: &mut Child) -> u64 {
    most_resident_until(child, |_| false).1
}

/// Waits until it has ended. The most that it had resident before this came true, and in all, in KiB.
pub(crate) fn most_resident_until(child: &mut Child, is_so: impl Fn(&Child) -> bool) -> (u64, u64) {
    let mut before = 0;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while !child.has_ended() {
        // Between the two it may have ended.
        if let Ok(status) = fs::read_to_string(&status) {
            most = most.max(high_water(&status));
        }
        if !is_so(child) {
            before = most;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (before, most)
}

fn high_water(status: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
