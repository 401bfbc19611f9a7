//! The sandbox as a process of its own, and exports from it, for chores that look at the real program from outside.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bag_check::release_binary;

/// A folder that goes when the chore ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(chore: &str) -> Result<Self, String> {
        let name = format!("uforge-export-{chore}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The sandbox that runs, and the program that exports from it.
pub(crate) struct Platform {
    binary: PathBuf,
    url: String,
    user: String,
    password: PathBuf,
    _process: Killed,
}

impl Platform {
    /// Starts it with this scenario.
    pub(crate) fn start(folder: &Folder, scenario: &str) -> Result<Self, String> {
        let binary = release_binary()?;
        let file = folder.path("scenario.toml");
        fs::write(&file, scenario).map_err(|error| error.to_string())?;
        let mut process = Killed(
            Command::new(&binary)
                .args(["sandbox", "--listen", "127.0.0.1:0", "--scenario"])
                .arg(&file)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| error.to_string())?,
        );
        let announced = first_line(&mut process.0)?;
        let password = folder.path("password");
        fs::write(&password, field(&announced, "password")?).map_err(|error| error.to_string())?;
        Ok(Self {
            binary,
            url: field(&announced, "url")?,
            user: field(&announced, "user")?,
            password,
            _process: process,
        })
    }

    /// The command that exports everything into this bag.
    pub(crate) fn export(&self, bag: &Path, progress: &str) -> Command {
        let mut export = Command::new(&self.binary);
        export
            .args(["export", "--url", &self.url, "--user", &self.user])
            .arg("--password-file")
            .arg(&self.password)
            .arg("--output")
            .arg(bag)
            .args(["--progress", progress])
            .stdout(Stdio::null());
        export
    }
}

fn first_line(child: &mut Child) -> Result<String, String> {
    let output = child.stdout.take().ok_or("the sandbox has no output")?;
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    Ok(line)
}

/// A string in one line of JSON, which holds no escapes.
pub(crate) fn field(announced: &str, name: &str) -> Result<String, String> {
    let (_, rest) = announced
        .split_once(&format!("\"{name}\":"))
        .ok_or_else(|| format!("no `{name}` in {announced}"))?;
    rest.split('"')
        .nth(1)
        .map(str::to_owned)
        .ok_or_else(|| format!("no `{name}` in {announced}"))
}

/// A process that ends with us.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
