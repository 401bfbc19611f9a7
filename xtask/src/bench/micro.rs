//! What small parts cost, each alone: the benchmarks in the crates' `benches/` folders. They print their figures themselves.

use super::Options;
use super::report::Report;
use crate::process::Chore;

const CRATES: [&str; 3] = ["domain", "adapters-http", "adapters-archive"];
/// What some of them need of their crates.
const FEATURES: &str = "domain/testing,adapters-http/testing";

pub(super) fn measure(options: &Options, _: &mut Report) -> Result<(), String> {
    // Where nothing is measured nothing has to be optimized, and what the tests are built from serves.
    let how = if options.short { "test" } else { "bench" };
    let mut chore = Chore::cargo([how, "--bench", "micro", "--features", FEATURES]);
    for name in CRATES {
        chore = chore.args(["--package", name]);
    }
    if options.short {
        // Each once.
        chore = chore.args(["--", "--test"]);
    }
    chore.run()
}
