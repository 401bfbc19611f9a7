//! Medians, ratios, a table for people and JSON for programs.

use std::fmt::Write as _;
use std::fs;

use super::Options;
use super::timed::Figures;
use crate::process::say;

/// All that was measured.
pub(crate) struct Report {
    environment: Vec<(&'static str, String)>,
    rows: Vec<Row>,
}

struct Row {
    bench: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map(|name| name.trim_start_matches([' ', '\t', ':']).to_owned());
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let memory = read("/proc/meminfo");
        let memory = memory
            .lines()
            .next()
            .and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .unwrap_or(0);
        Self {
            environment: vec![
                ("processor", processor.unwrap_or_default()),
                ("processors", processors.to_string()),
                ("memory_mib", (memory / 1024).to_string()),
                (
                    "kernel",
                    read("/proc/sys/kernel/osrelease").trim().to_owned(),
                ),
                ("load_before", read("/proc/loadavg").trim().to_owned()),
                ("runs", options.runs.to_string()),
                ("short", options.short.to_string()),
            ],
            rows: Vec::new(),
        }
    }

    /// Where it was measured.
    pub(crate) fn environment(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.environment {
            let _ = writeln!(text, "{name}: {value}");
        }
        text
    }

    /// Adds one figure, and says it.
    pub(crate) fn add(
        &mut self,
        bench: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) {
        let name = name.into();
        say(&format!("  {name:<52} {value:>10.3} {unit}\n"));
        self.rows.push(Row {
            bench,
            name,
            value,
            unit,
        });
    }

    pub(crate) fn json(&self) -> String {
        let mut text = "{\n  \"environment\": {".to_owned();
        let environment = self
            .environment
            .iter()
            .map(|(name, value)| format!("\"{name}\": \"{}\"", escaped(value)));
        text.push_str(&environment.collect::<Vec<_>>().join(", "));
        text.push_str("},\n  \"figures\": [\n");
        let rows = self.rows.iter().map(|row| {
            format!(
                "    {{\"bench\": \"{}\", \"name\": \"{}\", \"value\": {:.6}, \"unit\": \"{}\"}}",
                row.bench,
                escaped(&row.name),
                row.value,
                row.unit
            )
        });
        text.push_str(&rows.collect::<Vec<_>>().join(",\n"));
        text.push_str("\n  ]\n}\n");
        text
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(char::is_control, " ")
}

/// A program under its name, and what runs it once.
pub(crate) type Program<'a> = (String, Box<dyn FnMut() -> Result<Figures, String> + 'a>);

/// Runs of several programs, taken in turn: one list of figures a program, in the order of the turns.
pub(crate) struct Turns(pub(crate) Vec<(String, Vec<Figures>)>);

impl Turns {
    /// Each program once in each turn.
    pub(crate) fn take(runs: usize, mut programs: Vec<Program<'_>>) -> Result<Self, String> {
        let mut turns: Vec<(String, Vec<Figures>)> = programs
            .iter()
            .map(|(name, _)| (name.clone(), Vec::new()))
            .collect();
        for _ in 0..runs {
            for ((_, program), (_, figures)) in programs.iter_mut().zip(&mut turns) {
                figures.push(program()?);
            }
        }
        Ok(Self(turns))
    }

    /// The median of one figure of a program; 0 where it did not run.
    pub(crate) fn median(&self, name: &str, figure: impl Fn(&Figures) -> f64) -> f64 {
        median(self.of(name).iter().map(figure).collect())
    }

    /// The median of the ratios of one figure within each turn.
    pub(crate) fn ratio(&self, name: &str, to: &str, figure: impl Fn(&Figures) -> f64) -> f64 {
        let pairs = self.of(name).iter().zip(self.of(to));
        median(
            pairs
                .map(|(one, other)| figure(one) / figure(other))
                .collect(),
        )
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.of(name).is_empty()
    }

    fn of(&self, name: &str) -> &[Figures] {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or(&[], |(_, figures)| figures.as_slice())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}
