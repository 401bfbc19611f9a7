//! The program under test as a child process: an environment of its own, its streams in files, a limit on its time.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing that a test starts takes this long.
const PATIENCE: Duration = Duration::from_secs(90);

/// The program, with a home folder that nobody else has.
pub struct Program {
    path: PathBuf,
    home: TempDir,
    started: Cell<u32>,
}

/// What is sent to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// As `kill` sends it.
    Terminate,
    /// No process can do anything about it.
    Kill,
    /// Stands still until [`Signal::Continue`].
    Stop,
    /// Goes on after [`Signal::Stop`].
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote for programs.
    pub stdout: Vec<u8>,
    /// What it wrote for people.
    pub stderr: String,
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "most tests ask no more of an end than what was expected"
)]
impl Ended {
    /// Whether a busy machine took away what a program has for the deletion of its tickets after a signal, less than two seconds: it ended
    /// more than a second after the signal, which was sent at `signal`, and says that tickets are left.
    pub fn had_no_time(&self, signal: Instant) -> bool {
        signal.elapsed() >= Duration::from_secs(1)
            && self.stderr.contains("may still be on the server")
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Fails unless it ended with this status.
    ///
    /// # Panics
    ///
    /// With all that it said.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(
            (self.status, self.signal),
            (Some(status), None),
            "it said:\n{}",
            self.stderr
        );
        self
    }

    /// Fails unless standard error holds this.
    ///
    /// # Panics
    ///
    /// With all that it said.
    #[track_caller]
    pub fn expect_word(self, word: &str) -> Self {
        // Messages are set for a terminal's width.
        let said = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(word), "no `{word}` in:\n{}", self.stderr);
        self
    }
}

impl Program {
    /// The program in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            home: tempfile::tempdir().expect("a folder"),
            started: Cell::new(0),
        }
    }

    /// Its home folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in its home that only its owner reads.
    pub fn private_file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        path
    }

    /// The program with these arguments and nothing of this process's environment.
    pub fn command<I, S>(&self, arguments: I) -> process::Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let mut command = process::Command::new(&self.path);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("TMPDIR", self.home())
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// Starts a command. Unless they go somewhere already, its streams go to files, so that it never waits for a reader.
    pub fn spawn(&self, mut command: process::Command) -> Child {
        let number = self.started.replace(self.started.get() + 1);
        let file = |stream: &str| self.home().join(format!(".stream-{number}-{stream}"));
        let (stdout, stderr) = (file("out"), file("err"));
        command.stdout(File::create(&stdout).expect("a file"));
        command.stderr(File::create(&stderr).expect("a file"));
        Child {
            process: command.spawn().expect("the program starts"),
            began: Instant::now(),
            stdout,
            stderr,
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, command: process::Command) -> Ended {
        self.spawn(command).wait()
    }

    /// Runs the program with these arguments to its end.
    pub fn run_with<I, S>(&self, arguments: I) -> Ended
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        self.run(self.command(arguments))
    }
}

impl Drop for Program {
    /// A test that ends well leaves no process and no temporary file of the program.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let processes = processes_at(self.home());
        assert!(processes.is_empty(), "processes are left: {processes:?}");
        let names = fs::read_dir(self.home()).expect("the home folder");
        let temporary: Vec<_> = names
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name.to_string_lossy().starts_with(".tmp"))
            .collect();
        assert!(
            temporary.is_empty(),
            "temporary files are left: {temporary:?}"
        );
    }
}

/// The processes whose home folder this is. A process that has ended, or is another user's, has no environment to read.
fn processes_at(home: &Path) -> Vec<PathBuf> {
    let wanted = format!("HOME={}", home.display()).into_bytes();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .map(|entry| entry.path())
        .filter(|process| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|it| it == wanted)
        })
        .collect()
}

/// A child that runs. Dropped, it is killed.
pub struct Child {
    process: process::Child,
    began: Instant,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Child {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal, if it still lives.
    pub fn signal(&mut self, signal: Signal) {
        if self.has_ended() {
            return;
        }
        if signal == Signal::Kill {
            // One that has ended meanwhile cannot be killed.
            let _ = self.process.kill();
            return;
        }
        let order = format!("kill -{} {}", signal.name(), self.id());
        // It may end between the two: then there is nothing to signal.
        let _ = process::Command::new("sh")
            .args(["-c", &order])
            .stderr(Stdio::null())
            .status();
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }

    /// Waits until something is so, or the child has ended; whether it is so.
    pub fn wait_until(&mut self, mut so: impl FnMut() -> bool) -> bool {
        while !so() {
            if self.has_ended() {
                return so();
            }
            assert!(self.began.elapsed() < PATIENCE, "waited for nothing");
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// What it has written for people so far.
    pub fn said(&self) -> String {
        self.words().said()
    }

    /// What it writes for people, to be read while somebody else waits for it.
    pub fn words(&self) -> Words {
        Words(self.stderr.clone())
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// Where it does not end.
    pub fn wait(self) -> Ended {
        self.wait_for(PATIENCE)
    }

    /// Waits for its end, this long at most.
    ///
    /// # Panics
    ///
    /// Where it does not end by then.
    pub fn wait_for(mut self, patience: Duration) -> Ended {
        let from = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                break status;
            }
            assert!(
                from.elapsed() < patience,
                "it does not end; it said:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(2));
        };
        Ended {
            status: status.code(),
            signal: status.signal(),
            stdout: fs::read(&self.stdout).expect("its output"),
            stderr: self.said(),
        }
    }
}

/// What a child writes for people.
pub struct Words(PathBuf);

impl Words {
    /// All that it has written so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.0).expect("its words")).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
