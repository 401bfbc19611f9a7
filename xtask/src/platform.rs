//! The sandbox as a process of its own, and exports from it, for chores that look at the real program from outside.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bag_check::release_binary;

/// A folder that goes when the chore ends.
pub(crate) struct Folder(PathBuf, Cell<u32>);

impl Folder {
    pub(crate) fn new(chore: &str) -> Result<Self, String> {
        let name = format!("uforge-export-{chore}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder, Cell::new(0)))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A path that no other platform in it has.
    fn new_path(&self, name: &str) -> PathBuf {
        self.1.set(self.1.get() + 1);
        self.0.join(format!("{}-{name}", self.1.get()))
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
        let file = folder.new_path("scenario.toml");
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
        let password = folder.new_path("password");
        fs::write(&password, field(&announced, "password")?).map_err(|error| error.to_string())?;
        Ok(Self {
            binary,
            url: field(&announced, "url")?,
            user: field(&announced, "user")?,
            password,
            _process: process,
        })
    }

    /// The program's file.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// The program, for another of its commands.
    pub(crate) fn program(&self) -> Command {
        Command::new(&self.binary)
    }

    /// What `curl` needs to sign in.
    pub(crate) fn user_and_password(&self) -> Result<String, String> {
        let password = fs::read_to_string(&self.password).map_err(|error| error.to_string())?;
        Ok(format!("{}:{password}", self.user))
    }

    /// Has these appliances exported, and gives the addresses of their archives.
    pub(crate) fn archives(&self, appliances: &[u32]) -> Result<Vec<String>, String> {
        let of = |appliance: &u32| {
            let user = self.user_and_password()?;
            let exports = self.address(&format!("appliances/{appliance}/exports"));
            let start = format!("{exports}?outputFormat=yaml");
            let ticket = curl(&["-X", "POST", "-u", &user, &start])?;
            let number = between(&ticket, "<dbId>", "</dbId>")?;
            let status = format!("{exports}/{number}/status");
            while !curl(&["-u", &user, &status])?.contains("<complete>true</complete>") {
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(format!("{exports}/{number}/downloads"))
        };
        appliances.iter().map(of).collect()
    }

    /// The address of something that is the user's.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/users/{}/{path}", self.url, self.user)
    }

    /// The command that imports this bag.
    pub(crate) fn import(&self, bag: &Path) -> Command {
        let mut import = Command::new(&self.binary);
        import.arg("import").arg(bag);
        import.args(["--url", &self.url, "--user", &self.user]);
        import.arg("--password-file").arg(&self.password);
        import
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> Result<u16, String> {
        let port = self
            .url
            .rsplit(':')
            .next()
            .and_then(|rest| rest.split('/').next()?.parse().ok());
        port.ok_or_else(|| format!("no port in {}", self.url))
    }

    /// Has these appliances exported one after the other, each with its download and the deletion of its ticket, as a loop around
    /// `curl` does. How long that takes.
    pub(crate) fn one_after_the_other(&self, appliances: &[u32]) -> Result<Duration, String> {
        let began = Instant::now();
        let user = self.user_and_password()?;
        for appliance in appliances {
            let archives = self.archives(&[*appliance])?;
            for archive in archives {
                curl(&["-o", "/dev/null", "-u", &user, &archive])?;
                let ticket = archive.trim_end_matches("/downloads");
                curl(&["-X", "DELETE", "-u", &user, ticket])?;
            }
        }
        Ok(began.elapsed())
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

fn curl(arguments: &[&str]) -> Result<String, String> {
    let answer = Command::new("curl")
        .args(["--silent", "--fail"])
        .args(arguments)
        .output()
        .map_err(|error| format!("curl: {error}"))?;
    if answer.status.success() {
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    } else {
        Err(format!("curl ended with {}", answer.status))
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Result<&'a str, String> {
    let found = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split_once(after));
    found
        .map(|(found, _)| found)
        .ok_or_else(|| format!("no {before} in {text}"))
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
