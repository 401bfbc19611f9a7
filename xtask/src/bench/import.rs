//! A bag with two archives of 512 MiB into an empty account, against `curl` that sends the same two files on tickets of its own. The
//! platform keeps what it gets in memory, so each run has a platform of its own, which is not measured.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Options;
use super::archives::{Downloads, add_all, export_and_keep, named, scenario};
use super::report::{Program, Report, Turns};
use super::timed::{Figures, run};
use super::tools;
use crate::platform::{Folder, Platform};

const BENCH: &str = "import";
const IMPORT: &str = "import";
const CURL: &str = "curl -T, two at once";
const LONG: u64 = 512 << 20;
const SHORT: u64 = 8 << 20;
const FILES: [&str; 2] = ["1.tar.gz", "2.tar.gz"];

const EMPTY: &str = "[data]\nappliances = 0\nsoftware = 0\naccounts = 0\nothers = 0\nforeign-tickets = 0\n\n[timing]\nimport-millis = 10\n";

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let bytes = if options.short { SHORT } else { LONG };
    let folder = Folder::new("bench")?;
    let bag = folder.path("bag.zip");
    let with_curl = !tools::missing().contains(&"curl");
    {
        let platform = Platform::start(&folder, &scenario(bytes, "length", ""))?;
        export_and_keep(&platform, &bag, &[])?;
        if with_curl {
            Downloads::of(&platform, &folder)?.kept(FILES)?;
        }
    }
    let mut programs: Vec<Program<'_>> = vec![named(IMPORT, || import(&folder, &bag))];
    if with_curl {
        programs.push(named(CURL, || curl(&folder)));
    }
    let turns = Turns::take(options.runs, programs)?;
    add_all(report, BENCH, (&turns, 2 * bytes), &[(IMPORT, CURL)]);
    Ok(())
}

fn import(folder: &Folder, bag: &Path) -> Result<Figures, String> {
    let platform = Platform::start(folder, EMPTY)?;
    let mut command = platform.import(bag);
    command.args(["--progress", "none"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    run(command)
}

fn curl(folder: &Folder) -> Result<Figures, String> {
    let platform = Platform::start(folder, EMPTY)?;
    let script = "send() {
             ticket=$(curl -sf -u \"$1\" -X POST \"$2\" | sed -n 's:.*<dbId>\\([0-9]*\\)</dbId>.*:\\1:p') &&
             curl -sf -u \"$1\" -X POST -H 'Content-Type: application/octet-stream' -T \"$3\" \"$2/$ticket/uploads\"
         }
         send \"$1\" \"$2\" \"$3\" & first=$!
         send \"$1\" \"$2\" \"$4\" && wait $first";
    let mut command = Command::new("sh");
    command.args(["-c", script, "bench", &platform.user_and_password()?]);
    command.arg(platform.address("imports"));
    command.args(FILES.map(|name| folder.path(name)));
    command.stdout(Stdio::null());
    run(command)
}
