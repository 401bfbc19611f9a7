//! What some tests need beside Rust: Chromium with its driver and axe-core for the page of a bag, `strace` for kills at forced instants.

use std::path::PathBuf;

use crate::process::{Chore, is_here, target};

/// Names the folder of axe-core to the tests, and promises them the other tools.
pub(crate) const VARIABLE: &str = "UFORGE_EXPORT_TEST_TOOLS";

const AXE: &str = "axe-core@4.14.1";

/// What is called how, and the package of Debian and Ubuntu that brings it.
const PROGRAMS: [(&str, &str); 3] = [
    ("chromedriver", "chromium-driver"),
    ("npm", "npm"),
    ("strace", "strace"),
];

/// Installs what is not here, where it may; the folder of axe-core. What is missing is said with how to install it.
pub(crate) fn bring() -> Result<PathBuf, String> {
    let absent: Vec<&str> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !is_here(program))
        .map(|(_, package)| package)
        .collect();
    if !absent.is_empty() {
        install(&absent)?;
    }
    let folder = target()?.join("axe");
    if !folder.join("node_modules/axe-core/axe.min.js").exists() {
        let quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
        Chore::new("npm", ["install", "--prefix"])
            .arg(&folder)
            .args(quiet)
            .arg(AXE)
            .run()?;
    }
    Ok(folder)
}

fn install(packages: &[&str]) -> Result<(), String> {
    let names = packages.join(" ");
    if !is_here("apt-get") {
        return Err(format!(
            "they need {names} (so called by Debian), and this machine has no `apt-get` to install them: install Chromium, its `chromedriver`, `npm` and `strace`"
        ));
    }
    let user = Chore::new("id", ["-u"]).output()?;
    if user.trim() != "0" {
        return Err(format!(
            "they need {names}; install them with: sudo apt-get install {names}"
        ));
    }
    let patient = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"];
    Chore::new("apt-get", patient).arg("update").run()?;
    Chore::new("apt-get", patient)
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}
