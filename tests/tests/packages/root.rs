//! A Debian in a folder, without and with a running service manager.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{UNIT, packages_in};

/// What belongs to the packages' dependencies, so that the packages alone make a difference.
const NEEDED: &str = "adduser,ca-certificates,dbus,systemd";
/// What the tools of the system write about what they did.
const LOGS: [&str; 8] = [
    "var/cache",
    "var/log",
    "var/lib/dpkg",
    "var/lib/systemd",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
];

/// A Debian in a folder.
pub(crate) struct Root {
    folder: TempDir,
}

impl Root {
    /// Lays it, of the release of this machine, and puts the packages into it.
    pub(crate) fn new(packages: &Path) -> Self {
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::tempdir_in(temporary).expect("a folder");
        // Its own users have to get in.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("its mode");
        let release = release();
        succeeds(
            Command::new("debootstrap")
                .args([
                    "--variant=minbase",
                    &format!("--include={NEEDED}"),
                    &release,
                ])
                .arg(folder.path()),
        );
        let root = Self { folder };
        for revision in ["revision-1", "revision-2"] {
            let inside = root.path("opt").join(revision);
            fs::create_dir_all(&inside).expect("a folder");
            for package in packages_in(&packages.join(revision)) {
                let name = package.file_name().expect("a name");
                fs::copy(&package, inside.join(name)).expect("copied");
            }
        }
        root
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn write(&self, inside: &str, text: &str, mode: u32) {
        let path = self.path(inside);
        let parent = path.parent().expect("a folder");
        fs::create_dir_all(parent).expect("a folder");
        // One that is there keeps its mode.
        let _ = fs::remove_file(&path);
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(mode).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("written");
    }

    /// The command that installs both packages of a revision.
    pub(crate) fn install(&self, revision: &str) -> Vec<String> {
        let inside = format!("/opt/{revision}");
        let packages = packages_in(&self.path("opt").join(revision));
        let names = packages.iter().map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            format!("{inside}/{name}")
        });
        let dpkg = ["dpkg", "--install"].map(str::to_owned);
        dpkg.into_iter().chain(names).collect()
    }

    /// Runs something inside, where no service manager runs; its output.
    pub(crate) fn run<Word: AsRef<str>>(&self, command: &[Word]) -> String {
        let script =
            "mount -t proc proc \"$1/proc\" && root=$1 && shift && exec chroot \"$root\" \"$@\"";
        let mut inside = Command::new("unshare");
        inside
            .args(["--mount", "--pid", "--fork", "--propagation", "private"])
            .args(["sh", "-ec", script, "sh"])
            .arg(self.folder.path())
            .args(command.iter().map(AsRef::as_ref));
        plain(&mut inside);
        succeeds(&mut inside)
    }

    /// Every path in it but logs.
    pub(crate) fn listing(&self) -> BTreeSet<String> {
        let found = Command::new("find")
            .arg(self.folder.path())
            .args(["-xdev", "-printf", "%P\\n"])
            .output()
            .expect("find");
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        let is_log = |path: &str| LOGS.iter().any(|log| path.starts_with(log));
        let paths = text.lines().filter(|path| !is_log(path));
        paths.map(str::to_owned).collect()
    }

    /// Starts its service manager.
    pub(crate) fn boot(&self) -> Booted {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/boot.sh");
        let log = fs::File::create(self.path("boot.log")).expect("a file");
        let again = log.try_clone().expect("a file");
        let process = Command::new("unshare")
            .args(["--mount", "--pid", "--uts", "--ipc", "--cgroup"])
            .args(["--fork", "--kill-child", "--propagation", "private"])
            .arg("sh")
            .arg(script)
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .spawn()
            .expect("unshare");
        let mut booted = Booted {
            process,
            log: self.path("boot.log"),
        };
        booted.wait();
        booted
    }
}

/// A system whose service manager runs. Dropped, all of it ends.
pub(crate) struct Booted {
    process: Child,
    log: PathBuf,
}

impl Booted {
    fn wait(&mut self) {
        let from = Instant::now();
        let running = ["running", "degraded"];
        loop {
            let state = self.output(&["systemctl", "is-system-running"]);
            let state = String::from_utf8_lossy(&state.stdout).into_owned();
            if running.contains(&state.trim()) {
                return;
            }
            let ended = self.process.try_wait().expect("a child");
            if ended.is_some() || from.elapsed() > Duration::from_mins(3) {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                panic!("the service manager did not start: {state}\n{said}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The service manager itself, as this machine counts processes.
    fn id(&self) -> String {
        let unshare = self.process.id();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"));
        children.unwrap_or_default().trim().to_owned()
    }

    fn output<Word: AsRef<str>>(&self, command: &[Word]) -> std::process::Output {
        let mut inside = Command::new("nsenter");
        inside
            .args(["--target", &self.id()])
            .args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--"])
            .args(command.iter().map(AsRef::as_ref));
        plain(&mut inside).output().expect("nsenter")
    }

    /// Runs something inside; its output.
    pub(crate) fn run<Word: AsRef<str>>(&self, command: &[Word]) -> String {
        let output = self.output(command);
        let words: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let journal = ["journalctl", "--no-pager", "--unit", UNIT];
            let journal = String::from_utf8_lossy(&self.output(&journal).stdout).into_owned();
            panic!("{words:?} ended with {}:\n{said}\n{journal}", output.status);
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same; nothing where it fails.
    pub(crate) fn try_run(&self, command: &[&str]) -> Option<String> {
        let output = self.output(command);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// What the service manager says of the service.
    pub(crate) fn show(&self, property: &str) -> String {
        let command = ["systemctl", "show", "--value", "--property", property, UNIT];
        self.run(&command).trim().to_owned()
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // Its first process takes all others with it.
        let _ = Command::new("kill").args(["-KILL", &self.id()]).status();
        let _ = self.process.wait();
    }
}

/// Without this machine's environment and input.
fn plain(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().expect("a program");
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}:\n{printed}\n{said}");
    printed
}

/// The name of this machine's Debian.
fn release() -> String {
    let text = fs::read_to_string("/etc/os-release").expect("a Debian");
    let mut lines = text.lines();
    let name = lines.find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.expect("a Debian").to_owned()
}
