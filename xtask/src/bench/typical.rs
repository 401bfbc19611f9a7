//! The same as `bulk` with archives that compress about as software does: inflating them, to know that they are whole, is the limit.

use super::Options;
use super::archives::{CURL, Downloads, PIPELINE, add_all, export_to, named, scenario, to_stdout};
use super::report::{Program, Report, Turns};
use super::tools;
use crate::platform::{Folder, Platform};

const BENCH: &str = "typical";
const LONG: u64 = 256 << 20;
const SHORT: u64 = 8 << 20;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let bytes = if options.short { SHORT } else { LONG };
    let folder = Folder::new("bench")?;
    let platform = Platform::start(&folder, &scenario(bytes, "length", "compressible = true\n"))?;
    let missing = tools::missing();
    let downloads = if missing.is_empty() {
        Some(Downloads::of(&platform, &folder)?)
    } else {
        None
    };
    let (two, one) = (folder.path("bag.zip"), folder.path("one.zip"));
    let mut programs: Vec<Program<'_>> = vec![
        named("zip", || export_to(&platform, &two, &[])),
        named("zip, --downloads 1", || {
            export_to(&platform, &one, &["--downloads", "1"])
        }),
        named("standard output", || to_stdout(&platform)),
    ];
    if let Some(downloads) = &downloads {
        programs.push(named(CURL, || downloads.thrown_away()));
        programs.push(named(PIPELINE, || downloads.pipeline()));
    }
    let turns = Turns::take(options.runs, programs)?;
    let pairs = [
        ("zip", PIPELINE),
        ("zip", CURL),
        ("zip", "zip, --downloads 1"),
        ("standard output", "zip"),
    ];
    add_all(report, BENCH, (&turns, 2 * bytes), &pairs);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let megabytes = (2 * bytes) as f64 / 1e6;
    let wall = turns.median("zip", |f| f.wall);
    report.add(BENCH, "zip: compressed bytes", megabytes / wall, "MB/s");
    Ok(())
}
