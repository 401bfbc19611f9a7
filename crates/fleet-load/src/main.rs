//! Many people's exports on many workers, with what can happen to them: `cargo xtask fleet`.

mod check;
mod fleet;
mod measure;
mod options;
mod people;
mod process;
mod trouble;
mod watch;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use measure::Run;
use options::Options;

fn main() -> ExitCode {
    if std::env::args().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        say(options::HELP);
        return ExitCode::SUCCESS;
    }
    let outcome = Options::parse(std::env::args().skip(1)).and_then(|options| all(&options));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&format!("fleet-load: {failure}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Runs all that was asked for. Whether nothing is wrong.
fn all(options: &Options) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let mut runs = Vec::new();
    say(&environment());
    for workers in &options.workers {
        let mut undisturbed = measure::run(&options.undisturbed(), *workers, runtime.handle())?;
        say(&table(&undisturbed));
        if options.is_disturbed() {
            let mut run = measure::run(options, *workers, runtime.handle())?;
            compare(&undisturbed, &mut run);
            say(&table(&run));
            // Their manifests are not needed any more.
            undisturbed.bags.payload.clear();
            runs.push(undisturbed);
            runs.push(run);
        } else {
            runs.push(undisturbed);
        }
    }
    if let Some(path) = &options.json {
        let runs: Vec<Value> = runs.iter().map(Run::json).collect();
        let text = json!({"environment": environment(), "runs": runs});
        let written = std::fs::write(path, format!("{text:#}\n"));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(runs.iter().all(|run| run.faults.is_empty()))
}

/// The payload is the same whatever happens to the processes.
fn compare(undisturbed: &Run, run: &mut Run) {
    let before = &undisturbed.bags.payload;
    for (number, payload) in &run.bags.payload {
        if before.get(number).is_some_and(|before| before != payload) {
            let who = people::login(*number);
            run.faults.push(format!("the payload of {who} is another"));
        }
    }
}

fn table(run: &Run) -> String {
    let options = &run.options;
    let how = if options.is_disturbed() {
        "with kills"
    } else {
        "undisturbed"
    };
    let mut text = format!(
        "\n{} people × {} items, {} workers × {}, {} slots × {} ms, lease {} s, {how}\n",
        options.users,
        options.items,
        run.workers,
        options.jobs,
        options.slots,
        options.export.as_millis(),
        options.lease.as_secs(),
    );
    for (name, value, unit) in &run.figures {
        let _ = writeln!(text, "  {name:<44} {value:>10.2} {unit}");
    }
    let _ = writeln!(
        text,
        "  {} bags verified ({} by other programs), {:.1} MB, after {:.0} s",
        run.bags.payload.len(),
        run.bags.judged,
        megabytes(run.bags.bytes),
        run.took.as_secs_f64(),
    );
    if run.faults.is_empty() {
        text.push_str("  nothing is wrong\n");
    }
    for fault in run.faults.iter().take(20) {
        let _ = writeln!(text, "  WRONG: {fault}");
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Where it is measured.
fn environment() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.unwrap_or_default().trim_start_matches([' ', '\t', ':']);
    let load = read("/proc/loadavg");
    format!(
        "{processors} processors ({cpu}), load before: {}\n",
        load.trim()
    )
}

/// Writes for people; a closed output is nobody's loss.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
