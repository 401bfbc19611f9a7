//! What some tests need beside Rust: Chromium with its driver and axe-core for pages, `strace` for kills at forced instants, `minisign` for signatures, nginx and
//! Caddy for the service behind a proxy, `systemd-analyze` for its unit, moto for bags on an object store,
//! PostgreSQL for services that share their work.

use std::path::{Path, PathBuf};

use crate::gates::python_environment;
use crate::process::{Chore, is_here, target};

/// Names the folder of axe-core to the tests, and promises them the other tools.
pub(crate) const VARIABLE: &str = "UFORGE_EXPORT_TEST_TOOLS";

/// Names the folder with nginx and Caddy to the tests, where they are not installed.
pub(crate) const PROXIES: &str = "UFORGE_EXPORT_TEST_PROXIES";

/// Names the folder of moto's programs to the tests.
pub(crate) const OBJECT_STORE: &str = "UFORGE_EXPORT_TEST_S3";

/// The server, and a judge of what comes out of it.
const MOTO: [&str; 2] = ["moto[server,s3]==5.2.5", "bagit==1.9.0"];

const AXE: &str = "axe-core@4.14.1";

/// What a program is called, and the package of Debian and Ubuntu that brings it.
pub(crate) type Program = (&'static str, &'static str);

const PROGRAMS: [Program; 5] = [
    ("chromedriver", "chromium-driver"),
    ("minisign", "minisign"),
    ("npm", "npm"),
    ("strace", "strace"),
    ("systemd-analyze", "systemd"),
];

/// Who reads archives.
const READERS: [Program; 2] = [("unzip", "unzip"), ("python3", "python3-venv")];

/// A database server.
const DATABASE: [Program; 1] = [("postgres", "postgresql")];

/// Who speaks to the proxies.
const CLIENTS: [Program; 2] = [("curl", "curl"), ("openssl", "openssl")];

/// Installs what is not here, where it may; the folder of axe-core. What is missing is said with how to install it.
pub(crate) fn bring() -> Result<PathBuf, String> {
    bring_programs(&PROGRAMS)?;
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

/// Unpacks nginx and Caddy, where they are not installed, into a folder below the target folder. Installed they would be started.
pub(crate) fn bring_proxies() -> Result<PathBuf, String> {
    bring_programs(&CLIENTS)?;
    let folder = target()?.join("proxies");
    for name in ["nginx", "caddy"] {
        if !is_here(name) && !is_below(&folder, name) {
            unpack(name, &folder)?;
        }
    }
    Ok(folder)
}

/// Installs an S3 server into a folder below the target folder; the folder of its programs.
pub(crate) fn bring_object_store() -> Result<PathBuf, String> {
    bring_programs(&READERS)?;
    python_environment("moto", &MOTO)
}

/// Installs PostgreSQL, where it may. Debian has its server beside the path.
pub(crate) fn bring_database() -> Result<(), String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut servers = versions
        .flatten()
        .map(|version| version.path().join("bin/postgres"));
    if is_here("postgres") || servers.any(|server| server.is_file()) {
        return Ok(());
    }
    bring_programs(&DATABASE)
}

fn is_below(folder: &Path, program: &str) -> bool {
    let mut places = ["usr/sbin", "usr/bin"].into_iter();
    places.any(|place| folder.join(place).join(program).is_file())
}

fn unpack(package: &str, folder: &Path) -> Result<(), String> {
    if !is_here("apt-get") || !is_here("dpkg-deb") {
        return Err(format!(
            "they need {package}, and this machine has no `apt-get` to download it: install it"
        ));
    }
    let downloads = folder.join(package);
    // What an interrupted download left is not taken for a package.
    let _ = std::fs::remove_dir_all(&downloads);
    std::fs::create_dir_all(&downloads)
        .map_err(|error| format!("{}: {error}", downloads.display()))?;
    if is_root()? {
        apt_get().arg("update").run()?;
    }
    apt_get()
        .args(["download", package])
        .within(&downloads)
        .run()?;
    let entries = std::fs::read_dir(&downloads);
    for entry in entries.map_err(|error| format!("{}: {error}", downloads.display()))? {
        let file = entry.map_err(|error| error.to_string())?.path();
        Chore::new("dpkg-deb", ["--extract"])
            .arg(file)
            .arg(folder)
            .run()?;
    }
    Ok(())
}

/// Installs those programs that are not here, where it may.
pub(crate) fn bring_programs(programs: &[Program]) -> Result<(), String> {
    let absent: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| !is_here(program))
        .map(|(_, package)| *package)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    let names = absent.join(" ");
    if !is_here("apt-get") {
        return Err(format!(
            "they need {names} (so called by Debian), and this machine has no `apt-get` to install them: install them otherwise"
        ));
    }
    if !is_root()? {
        return Err(format!(
            "they need {names}; install them with: sudo apt-get install {names}"
        ));
    }
    apt_get().arg("update").run()?;
    apt_get()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(absent)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

fn apt_get() -> Chore {
    let patient = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"];
    Chore::new("apt-get", patient)
}

fn is_root() -> Result<bool, String> {
    Ok(Chore::new("id", ["-u"]).output()?.trim() == "0")
}
