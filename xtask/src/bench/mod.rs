//! The benchmarks: the release binary against tools that everybody has, in turn, so that a machine whose speed changes changes both.
//!
//! `cargo xtask bench [NAME…] [--json FILE] [--runs N] [--short]`. Every figure is the median of its runs; a ratio is the median of the
//! ratios within a turn. `--short` is part of `cargo xtask ci`: small amounts, to see that everything runs. docs/performance.md says what the figures mean.

mod archives;
mod bulk;
mod exports;
mod import;
mod many;
mod micro;
mod report;
mod slow;
mod start;
mod timed;
mod tools;
mod typical;
mod wide;

use std::path::PathBuf;
use std::time::Instant;

use crate::process::say;
use report::Report;

/// What was asked for.
pub(crate) struct Options {
    names: Vec<String>,
    json: Option<PathBuf>,
    /// How many turns.
    pub(crate) runs: usize,
    /// Small amounts.
    pub(crate) short: bool,
}

type Bench = fn(&Options, &mut Report) -> Result<(), String>;

const BENCHES: [(&str, Bench); 8] = [
    ("bulk", bulk::measure),
    ("typical", typical::measure),
    ("import", import::measure),
    ("many", many::measure),
    ("slow", slow::measure),
    ("start", start::measure),
    ("wide", wide::measure),
    ("micro", micro::measure),
];

/// Runs the benchmarks that were asked for, or all.
pub(crate) fn measure() -> Result<(), String> {
    run(&Options::parse(std::env::args().skip(2))?)
}

/// Runs all of them once, with small amounts: that they run is judged, and no time is.
pub(crate) fn try_out() -> Result<(), String> {
    run(&Options::parse(["--short".to_owned()].into_iter())?)
}

fn run(options: &Options) -> Result<(), String> {
    let mut report = Report::new(options);
    say(&report.environment());
    for (name, bench) in BENCHES {
        if options.names.is_empty() || options.names.iter().any(|asked| asked == name) {
            say(&format!("\n{name}\n"));
            let began = Instant::now();
            bench(options, &mut report)?;
            say(&format!("{name} took {} s\n", began.elapsed().as_secs()));
        }
    }
    match &options.json {
        Some(path) => std::fs::write(path, report.json())
            .map_err(|error| format!("{}: {error}", path.display())),
        None => Ok(()),
    }
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            names: Vec::new(),
            json: None,
            runs: 0,
            short: false,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--runs" => {
                    options.runs = value()?
                        .parse()
                        .map_err(|_| "`--runs` needs a number".to_owned())?;
                }
                "--short" => options.short = true,
                name if BENCHES.iter().any(|(known, _)| *known == name) => {
                    options.names.push(name.to_owned());
                }
                other => {
                    let known = BENCHES.map(|(name, _)| name).join(", ");
                    return Err(format!(
                        "no benchmark is called `{other}`; there are {known}"
                    ));
                }
            }
        }
        if options.runs == 0 {
            options.runs = if options.short { 1 } else { 5 };
        }
        Ok(options)
    }
}
