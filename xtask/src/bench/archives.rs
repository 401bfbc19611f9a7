//! Two archives of one size, exported by the program and fetched with common tools: what the benchmarks of whole archives share.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::report::{Program, Report, Turns};
use super::timed::{Figures, run};
use crate::platform::{Folder, Platform};

pub(super) const APPLIANCES: [u32; 2] = [201, 202];
pub(super) const CURL: &str = "curl to /dev/null";
pub(super) const PIPELINE: &str = "pipeline";

/// An account with the two archives and nothing else. `more` is added to what is said of its data.
pub(super) fn scenario(bytes: u64, framing: &str, more: &str) -> String {
    let items = APPLIANCES.map(|id| {
        format!("\n[[items]]\nkind = \"appliance\"\nid = {id}\narchive-bytes = {bytes}\n")
    });
    format!(
        "[data]\nappliances = 2\nsoftware = 0\naccounts = 0\nothers = 0\nforeign-tickets = 0\n{more}\n[timing]\nslots = 4\nexport-millis = 10\n\n[downloads]\nframing = \"{framing}\"\n{}",
        items.concat()
    )
}

pub(super) fn named<'a>(
    name: &str,
    program: impl FnMut() -> Result<Figures, String> + 'a,
) -> Program<'a> {
    (name.to_owned(), Box::new(program))
}

/// Adds what each program took, and the ratios of these pairs where both ran.
pub(super) fn add_all(
    report: &mut Report,
    bench: &'static str,
    (turns, payload): (&Turns, u64),
    pairs: &[(&str, &str)],
) {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let payload = payload as f64;
    for (name, _) in &turns.0 {
        let wall = turns.median(name, |f| f.wall);
        report.add(bench, format!("{name}: wall"), wall, "s");
        let cpu = turns.median(name, |f| f.cpu);
        report.add(bench, format!("{name}: processor"), cpu, "s");
        // Of a shell, its own memory says nothing.
        if !name.starts_with("curl") && name != PIPELINE {
            let memory = turns.median(name, |f| f.memory);
            report.add(bench, format!("{name}: memory"), memory, "MiB");
        }
        let written = turns.median(name, |f| f.written / payload);
        report.add(bench, format!("{name}: written ÷ payload"), written, "");
    }
    for (name, to) in pairs.iter().filter(|(_, to)| turns.has(to)) {
        let wall = turns.ratio(name, to, |f| f.wall);
        report.add(bench, format!("{name} ÷ {to}: wall"), wall, "");
        let cpu = turns.ratio(name, to, |f| f.cpu);
        report.add(bench, format!("{name} ÷ {to}: processor"), cpu, "");
    }
}

/// Exports into a file that does not stay.
pub(super) fn export_to(platform: &Platform, bag: &Path, more: &[&str]) -> Result<Figures, String> {
    let figures = export_and_keep(platform, bag, more)?;
    fs::remove_file(bag).map_err(|error| format!("{}: {error}", bag.display()))?;
    Ok(figures)
}

/// Exports into a file.
pub(super) fn export_and_keep(
    platform: &Platform,
    bag: &Path,
    more: &[&str],
) -> Result<Figures, String> {
    let mut command = platform.export(bag, "none");
    command.args(more).stderr(Stdio::null());
    run(command)
}

/// Exports to standard output, which is thrown away.
pub(super) fn to_stdout(platform: &Platform) -> Result<Figures, String> {
    let mut command = platform.export(Path::new("-"), "none");
    command.stderr(Stdio::null());
    run(command)
}

/// The same archives, fetched with `curl`.
pub(super) struct Downloads<'a> {
    folder: &'a Folder,
    user: String,
    urls: Vec<String>,
}

impl<'a> Downloads<'a> {
    /// Has them exported; their addresses are known then.
    pub(super) fn of(platform: &Platform, folder: &'a Folder) -> Result<Self, String> {
        Ok(Self {
            folder,
            user: platform.user_and_password()?,
            urls: platform.archives(&APPLIANCES)?,
        })
    }

    /// Fetches both at the same time into files of these names.
    pub(super) fn kept(&self, names: [&str; 2]) -> Result<Figures, String> {
        let script = "curl -sf -u \"$1\" -o \"$4/$5\" \"$2\" & first=$!
             curl -sf -u \"$1\" -o \"$4/$6\" \"$3\" && wait $first";
        run(self.shell(script, &names))
    }

    /// Fetches both at the same time and keeps nothing.
    pub(super) fn thrown_away(&self) -> Result<Figures, String> {
        run(self.shell(
            "curl -sf -u \"$1\" -o /dev/null \"$2\" & first=$!
             curl -sf -u \"$1\" -o /dev/null \"$3\" && wait $first",
            &[],
        ))
    }

    /// Fetches both at the same time, sums them up, checks them and puts them into a zip that compresses nothing.
    pub(super) fn pipeline(&self) -> Result<Figures, String> {
        run(self.shell(
            "curl -sf -u \"$1\" -o \"$4/1.tar.gz\" \"$2\" & first=$!
             curl -sf -u \"$1\" -o \"$4/2.tar.gz\" \"$3\" && wait $first &&
             openssl dgst -sha256 \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             gzip -t \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             zip -q -0 -j \"$4/bag.zip\" \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             rm \"$4/1.tar.gz\" \"$4/2.tar.gz\" \"$4/bag.zip\"",
            &[],
        ))
    }

    fn shell(&self, script: &str, more: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "bench", &self.user]);
        command
            .args(&self.urls)
            .arg(self.folder.path(""))
            .args(more);
        command.stdout(Stdio::null());
        command
    }
}
