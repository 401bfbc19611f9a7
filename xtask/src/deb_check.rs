//! The Debian packages in a fresh Debian: `tests/tests/packages/`.

use crate::dist::packages;
use crate::process::{Chore, target};
use crate::test_tools::bring_programs;

/// Builds the packages twice, as two revisions, and runs the test that installs, upgrades and purges them.
pub(crate) fn run() -> Result<(), String> {
    bring_programs(&[("debootstrap", "debootstrap"), ("curl", "curl")])?;
    let folder = target()?.join("dist");
    for revision in ["1", "2"] {
        packages(&folder, revision)?;
    }
    Chore::cargo(["test", "--locked", "-p", "tests", "--test", "packages"])
        .env("UFORGE_EXPORT_TEST_PACKAGES", folder)
        .run()
}
