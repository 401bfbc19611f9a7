//! Many people's exports on many workers of the release binary, which are killed meanwhile: `crates/fleet-load`.

use crate::bag_check::release_binary;
use crate::process::{Chore, target};
use crate::test_tools;

/// Builds what is needed, and measures what the arguments say.
pub(crate) fn measure() -> Result<(), String> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        let run = ["run", "--release", "--locked", "-p", "fleet-load", "--"];
        return Chore::cargo(run).arg("--help").run();
    }
    test_tools::bring_database()?;
    let programs = test_tools::bring_object_store()?;
    let verifier = release_binary()?;
    let server = verifier.with_file_name("uforge-export-server");
    Chore::cargo(["build", "--release", "--locked", "-p", "fleet-load"]).run()?;
    Chore::new(target()?.join("release").join("fleet-load"), ["--server"])
        .arg(server)
        .arg("--verifier")
        .arg(verifier)
        .args(std::env::args().skip(2))
        .env(test_tools::OBJECT_STORE, programs)
        .run()
}
