//! One test's place: a platform on a socket, the program, and an empty folder for its bag.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use sandbox::scenario::ItemKind;
use sandbox::{Announcement, Platform, Running, Scenario, TicketFacts};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Ended, Program, start};

/// A platform that answers fast and has a little of everything.
pub fn quick() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 3;
    scenario.data.software = 2;
    scenario.data.archive_bytes = 40_000;
    scenario.timing.export_millis = 30;
    scenario
}

/// A platform, the program and a folder. It needs no asynchronous test: the platform lives on threads of its own.
pub struct Site {
    /// The program under test.
    pub program: Program,
    folder: TempDir,
    running: Running,
    /// How many tickets of somebody else there are.
    foreign: usize,
    tickets_stay: Cell<Option<&'static str>>,
    was_killed: Cell<bool>,
    run_files_stay: Cell<Option<&'static str>>,
    // Dropped last: the platform lives on it.
    _runtime: Runtime,
}

impl Site {
    /// Starts a platform for the program in this file.
    ///
    /// # Panics
    ///
    /// Where loopback has no free port.
    pub fn new(program: &str, scenario: Scenario) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let running = runtime.block_on(start(scenario));
        let foreign = running.platform().tickets().len();
        let site = Self {
            program: Program::new(program),
            folder: tempfile::tempdir().expect("a folder"),
            running,
            foreign,
            tickets_stay: Cell::new(None),
            was_killed: Cell::new(false),
            run_files_stay: Cell::new(None),
            _runtime: runtime,
        };
        site.program
            .private_file("password", &format!("{}\n", site.announcement().password));
        site
    }

    /// What the platform says of itself.
    pub fn announcement(&self) -> Announcement {
        self.running.announcement()
    }

    /// The platform, looked at from behind.
    pub fn platform(&self) -> &Platform {
        self.running.platform()
    }

    /// The folder for the bag.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `command` with the flags that sign in with a password.
    pub fn signed_in(&self, command: &str) -> Command {
        let announced = self.announcement();
        let mut signed_in = self.program.command([command]);
        signed_in
            .args([
                "-a",
                &announced.url,
                "-u",
                &announced.user,
                "--password-file",
            ])
            .arg(self.program.home().join("password"));
        signed_in
    }

    /// `export` of everything, to wherever it goes by itself.
    pub fn export(&self) -> Command {
        self.signed_in("export")
    }

    /// `export` of everything into this file of the folder.
    pub fn export_to(&self, name: &str) -> Command {
        let mut command = self.export();
        command.arg("-o").arg(self.path(name));
        command
    }

    /// The names that lie in the folder, sorted.
    pub fn listing(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).expect("the folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Tickets of ours may be on the platform when the test ends, for this reason.
    pub fn leaves_tickets(&self, why: &'static str) {
        self.tickets_stay.set(Some(why));
    }

    /// A run is killed. The start of a software bundle that was on its way in that instant can only be reported: no list of the
    /// platform has its ticket.
    pub fn was_killed(&self) {
        self.was_killed.set(true);
    }

    /// The files of an unfinished run may be in the folder when the test ends, for this reason.
    pub fn leaves_run_files(&self, why: &'static str) {
        self.run_files_stay.set(Some(why));
    }

    /// Fails where a ticket of ours is on the platform, or one of somebody else's is not.
    ///
    /// # Panics
    ///
    /// With the tickets.
    #[track_caller]
    pub fn check_no_ticket_left(&self) {
        let unlisted = |ticket: &TicketFacts| {
            self.was_killed.get() && ticket.kind == ItemKind::Software && ticket.downloads == 0
        };
        let ours = self.platform().open_tickets();
        let (unlisted, left): (Vec<_>, Vec<_>) = ours.into_iter().partition(unlisted);
        assert_eq!(left, []);
        let all = self.platform().tickets().len();
        assert_eq!(all, self.foreign + unlisted.len());
    }

    /// As [`check_no_ticket_left`](Self::check_no_ticket_left), for a program that ended with a signal, which was sent at `signal`, and may
    /// have [had no time](Ended::had_no_time).
    ///
    /// # Panics
    ///
    /// With the tickets.
    #[track_caller]
    pub fn check_no_ticket_left_after(&self, signal: Instant, ended: &Ended) {
        if ended.had_no_time(signal) {
            self.leaves_tickets("there was no time to delete them");
        } else {
            self.check_no_ticket_left();
        }
    }
}

impl Drop for Site {
    /// A test that ends well leaves no ticket on the platform and no file of a run, unless it says why it does. Processes are the
    /// program's own affair.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if self.tickets_stay.get().is_none() {
            self.check_no_ticket_left();
        }
        if self.run_files_stay.get().is_none() {
            let names = self.listing();
            let hidden: Vec<_> = names.iter().filter(|name| name.starts_with('.')).collect();
            assert!(hidden.is_empty(), "files of a run are left: {hidden:?}");
        }
    }
}
