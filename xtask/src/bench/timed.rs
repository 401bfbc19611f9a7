//! One run of a program and all that it starts, measured from outside, as the kernel counts it.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The kernel counts processor time in these (`USER_HZ`, 100 on every Linux there is).
const TICKS_A_SECOND: f64 = 100.0;
/// How often a running process is looked at. Its end is seen at most so much later.
const LOOKED_AT: Duration = Duration::from_millis(2);

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time, its children's included.
    pub(crate) cpu: f64,
    /// The highest resident memory of the process itself, in MiB.
    pub(crate) memory: f64,
    /// Bytes that it caused to be written to disk, its children's included.
    pub(crate) written: f64,
}

/// Runs it to its end; anything but success is an error.
pub(crate) fn run(mut command: Command) -> Result<Figures, String> {
    let line = format!("{command:?}");
    let began = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("{line} could not be run: {error}"))?;
    let mut figures = watch(&child, began);
    let ended = child.wait().map_err(|error| error.to_string())?;
    if !ended.success() {
        return Err(format!("{line} ended with {ended}"));
    }
    if figures.wall == 0.0 {
        figures.wall = began.elapsed().as_secs_f64();
    }
    Ok(figures)
}

/// Looks at a process until it has ended. It is not reaped before: what it took is still there to be read.
fn watch(child: &Child, began: Instant) -> Figures {
    let folder = format!("/proc/{}", child.id());
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap_or_default();
    let mut figures = Figures::default();
    loop {
        let status = read("status");
        if let Some(kib) = number_after(&status, "VmHWM:") {
            figures.memory = figures.memory.max(kib / 1024.0);
        }
        let stat = read("stat");
        // After the name in brackets, which may hold anything.
        let fields: Vec<&str> = match stat.rsplit_once(") ") {
            Some((_, fields)) => fields.split_whitespace().collect(),
            None => return figures,
        };
        if matches!(fields.first(), Some(&"Z" | &"X")) {
            figures.wall = began.elapsed().as_secs_f64();
            // User and system time, its own and its children's.
            let ticks: f64 = fields
                .iter()
                .skip(11)
                .take(4)
                .filter_map(|ticks| ticks.parse::<f64>().ok())
                .sum();
            figures.cpu = ticks / TICKS_A_SECOND;
            figures.written = number_after(&read("io"), "write_bytes:").unwrap_or(0.0);
            return figures;
        }
        std::thread::sleep(LOOKED_AT);
    }
}

fn number_after(text: &str, label: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(label))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
