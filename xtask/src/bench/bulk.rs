//! Two archives of 1 GiB that do not compress, over loopback: against two `curl` that throw them away, which is the floor, and against
//! what a person would do with common tools: fetch both, sum them up, check them, put them into a zip.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Options;
use super::report::{Program, Report, Turns};
use super::timed::{Figures, run};
use super::tools;
use crate::platform::{Folder, Platform};

const BENCH: &str = "bulk";
const GIB: u64 = 1 << 30;
const SHORT: u64 = 32 << 20;
const APPLIANCES: [u32; 2] = [201, 202];

fn scenario(bytes: u64, framing: &str) -> String {
    let items = APPLIANCES.map(|id| {
        format!("\n[[items]]\nkind = \"appliance\"\nid = {id}\narchive-bytes = {bytes}\n")
    });
    format!(
        "[data]\nappliances = 2\nsoftware = 0\naccounts = 0\nothers = 0\nforeign-tickets = 0\n\n[timing]\nslots = 4\nexport-millis = 10\n\n[downloads]\nframing = \"{framing}\"\n{}",
        items.concat()
    )
}

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let bytes = if options.short { SHORT } else { GIB };
    let folder = Folder::new("bench")?;
    let with_length = Platform::start(&folder, &scenario(bytes, "length"))?;
    let chunked = Platform::start(&folder, &scenario(bytes, "chunked"))?;
    let missing = tools::missing();
    let urls = if missing.contains(&"curl") {
        Vec::new()
    } else {
        with_length.archives(&APPLIANCES)?
    };
    let downloads = Downloads {
        folder: &folder,
        user: with_length.user_and_password()?,
        urls,
    };
    let export = |platform, bag: &'static str, more: &'static [&'static str]| {
        let path = folder.path(bag);
        move || export_to(platform, &path, more)
    };
    let mut programs: Vec<Program<'_>> = vec![
        named("zip", export(&with_length, "bag.zip", &[])),
        named(
            "zip, --downloads 1",
            export(&with_length, "one.zip", &["--downloads", "1"]),
        ),
        named("zip, chunked", export(&chunked, "chunked.zip", &[])),
        named("tar", export(&with_length, "bag.tar", &[])),
        named("tar.gz", export(&with_length, "bag.tar.gz", &[])),
        named("standard output", || to_stdout(&with_length)),
        named(
            "encrypted",
            export(&with_length, "bag.zip.age", &["--encrypt-to", NOBODY]),
        ),
        named("verify", || verify(&with_length, &folder.path("kept.zip"))),
    ];
    if !downloads.urls.is_empty() {
        programs.push(named(CURL, || downloads.thrown_away()));
    }
    if missing.is_empty() {
        programs.push(named(PIPELINE, || downloads.pipeline()));
        programs.push(named("openssl", || openssl(&folder.path("kept.zip"))));
    }
    // Not measured: the bag that is verified.
    export_to(&with_length, &folder.path("kept.zip"), &[KEPT])?;
    let turns = Turns::take(options.runs, programs)?;
    add_all(&turns, report, bytes);
    Ok(())
}

const CURL: &str = "curl to /dev/null";
const PIPELINE: &str = "pipeline";
const IN_A_SHELL: [&str; 2] = [CURL, PIPELINE];
/// A recipient that nobody is.
const NOBODY: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
/// The bag is kept for later.
const KEPT: &str = "--force";

fn named<'a>(name: &str, program: impl FnMut() -> Result<Figures, String> + 'a) -> Program<'a> {
    (name.to_owned(), Box::new(program))
}

fn add_all(turns: &Turns, report: &mut Report, bytes: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let payload = (2 * bytes) as f64;
    for (name, _) in &turns.0 {
        report.add(
            BENCH,
            format!("{name}: wall"),
            turns.median(name, |f| f.wall),
            "s",
        );
        report.add(
            BENCH,
            format!("{name}: processor"),
            turns.median(name, |f| f.cpu),
            "s",
        );
        // Of a shell, its own memory says nothing.
        if !IN_A_SHELL.contains(&name.as_str()) {
            let memory = turns.median(name, |f| f.memory);
            report.add(BENCH, format!("{name}: memory"), memory, "MiB");
        }
        let written = turns.median(name, |f| f.written / payload);
        report.add(BENCH, format!("{name}: written ÷ payload"), written, "");
    }
    let pairs = [
        ("zip", PIPELINE),
        ("zip", CURL),
        ("zip", "zip, --downloads 1"),
        ("zip, chunked", "zip"),
        ("tar", "zip"),
        ("tar.gz", "zip"),
        ("standard output", "zip"),
        ("encrypted", "zip"),
        ("verify", "openssl"),
    ];
    for (name, to) in pairs.into_iter().filter(|(_, to)| turns.has(to)) {
        let wall = turns.ratio(name, to, |f| f.wall);
        report.add(BENCH, format!("{name} ÷ {to}: wall"), wall, "");
        let cpu = turns.ratio(name, to, |f| f.cpu);
        report.add(BENCH, format!("{name} ÷ {to}: processor"), cpu, "");
    }
}

fn export_to(platform: &Platform, bag: &Path, more: &[&str]) -> Result<Figures, String> {
    let mut command = platform.export(bag, "none");
    command.args(more).stderr(Stdio::null());
    let figures = run(command)?;
    if more != [KEPT] {
        fs::remove_file(bag).map_err(|error| format!("{}: {error}", bag.display()))?;
    }
    Ok(figures)
}

fn to_stdout(platform: &Platform) -> Result<Figures, String> {
    let mut command = platform.export(Path::new("-"), "none");
    command.stderr(Stdio::null());
    run(command)
}

fn verify(platform: &Platform, bag: &Path) -> Result<Figures, String> {
    let mut command = platform.program();
    command.arg("verify").arg(bag);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    run(command)
}

fn openssl(bag: &Path) -> Result<Figures, String> {
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256"]).arg(bag);
    command.stdout(Stdio::null());
    run(command)
}

/// The same archives, fetched with `curl`.
struct Downloads<'a> {
    folder: &'a Folder,
    user: String,
    urls: Vec<String>,
}

impl Downloads<'_> {
    /// Fetches both at the same time and keeps nothing.
    fn thrown_away(&self) -> Result<Figures, String> {
        self.shell(
            "curl -sf -u \"$1\" -o /dev/null \"$2\" & first=$!
             curl -sf -u \"$1\" -o /dev/null \"$3\" && wait $first",
        )
    }

    /// Fetches both at the same time, sums them up, checks them and puts them into a zip that compresses nothing.
    fn pipeline(&self) -> Result<Figures, String> {
        self.shell(
            "curl -sf -u \"$1\" -o \"$4/1.tar.gz\" \"$2\" & first=$!
             curl -sf -u \"$1\" -o \"$4/2.tar.gz\" \"$3\" && wait $first &&
             openssl dgst -sha256 \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             gzip -t \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             zip -q -0 -j \"$4/bag.zip\" \"$4/1.tar.gz\" \"$4/2.tar.gz\" &&
             rm \"$4/1.tar.gz\" \"$4/2.tar.gz\" \"$4/bag.zip\"",
        )
    }

    fn shell(&self, script: &str) -> Result<Figures, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script, "bench", &self.user]);
        command.args(&self.urls).arg(self.folder.path(""));
        command.stdout(Stdio::null());
        run(command)
    }
}
