//! What small parts cost, each alone: the benchmarks in the crates' `benches/` folders. They print their figures themselves.

use super::Options;
use super::report::Report;
use crate::process::Chore;

const CRATES: [&str; 3] = ["domain", "adapters-http", "adapters-archive"];
/// What some of them need of their crates.
const FEATURES: &str = "domain/testing,adapters-http/testing";

pub(super) fn measure(options: &Options, _: &mut Report) -> Result<(), String> {
    let benches = ["--locked", "--bench", "micro", "--features", FEATURES];
    if options.short {
        // Where nothing is measured nothing has to be optimized, and what the tests are built from serves: as part of the whole
        // workspace, or the dependencies would have other features and be built again. Each once.
        return Chore::cargo(["test", "--workspace"])
            .args(benches)
            .args(["--", "--test"])
            .run();
    }
    let mut chore = Chore::cargo(["bench"]).args(benches);
    for name in CRATES {
        chore = chore.args(["--package", name]);
    }
    chore.run()
}
