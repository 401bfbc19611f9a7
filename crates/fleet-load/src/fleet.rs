//! The processes of one service, with their database, their store and their platform.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fleet_load::{Postgres, S3};
use sandbox::Scenario;
use tokio::runtime::Handle;

use crate::options::Options;
use crate::process::{Process, Used};

/// One service under load.
pub(crate) struct Fleet {
    pub(crate) options: Options,
    // Dropped first: they need all the others.
    pub(crate) webs: Vec<Process>,
    workers: Mutex<Vec<Process>>,
    spent: Mutex<Used>,
    pub(crate) forge: sandbox::Running,
    postgres: Mutex<Postgres>,
    database: String,
    s3: Option<S3>,
    folder: tempfile::TempDir,
}

impl Fleet {
    /// Starts everything. The platform lives on the runtime.
    pub(crate) fn start(
        options: &Options,
        workers: usize,
        runtime: &Handle,
    ) -> Result<Arc<Self>, String> {
        let forge = runtime.block_on(sandbox::serve(
            ([127, 0, 0, 1], 0).into(),
            scenario(options),
        ));
        let postgres = Postgres::start_with(&["fsync=on", "synchronous_commit=on"]);
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut fleet = Self {
            options: options.clone(),
            forge: forge.map_err(|error| error.to_string())?,
            database: postgres.database("exports"),
            postgres: Mutex::new(postgres),
            s3: (!options.folder).then(S3::start),
            webs: Vec::new(),
            workers: Mutex::default(),
            spent: Mutex::default(),
            folder,
        };
        fleet.write_account().map_err(|error| error.to_string())?;
        for _ in 0..options.webs {
            let web = fleet.process("web")?;
            fleet.webs.push(web);
        }
        for _ in 0..workers {
            let worker = fleet.process("worker")?;
            fleet.workers().push(worker);
        }
        Ok(Arc::new(fleet))
    }

    fn write_account(&self) -> std::io::Result<()> {
        let administrator = &self.forge.platform().scenario().administrator;
        let text = format!(
            "user: {}\npassword: {}\n",
            administrator.login, administrator.password
        );
        std::fs::write(self.path("account.yml"), text)?;
        std::fs::create_dir_all(self.path("store"))?;
        let mode = |name, mode| {
            std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode))
        };
        mode("store", 0o700)?;
        mode("account.yml", 0o600)
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where its processes log.
    pub(crate) fn log(&self) -> PathBuf {
        let kept = std::env::var_os("UFORGE_EXPORT_TEST_LOG").map(PathBuf::from);
        kept.unwrap_or_else(|| self.path("log"))
    }

    fn process(&self, role: &str) -> Result<Process, String> {
        let options = &self.options;
        let mut command = Command::new(&options.server);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("UFORGE") || text.starts_with("PG") || text.starts_with("AWS") {
                command.env_remove(&name);
            }
        }
        command
            .args(["--role", role, "--listen", "127.0.0.1:0"])
            .args(["--url", self.forge.url(), "--database", &self.database])
            .args(["--platform-slots", &options.slots.to_string()])
            .args(["--worker-jobs", &options.jobs.to_string()])
            .args(["--lease", &format!("{}s", options.lease.as_secs())])
            .arg("--service-credentials")
            .arg(self.path("account.yml"))
            .arg("--store");
        match &self.s3 {
            None => command.arg(format!("file://{}", self.path("store").display())),
            Some(s3) => command
                .arg(format!("s3://{}", S3::BUCKET))
                .args(["--store-endpoint", &s3.url])
                .envs(S3::KEYS),
        };
        Process::start(command, &self.log())
    }

    /// The workers that run.
    pub(crate) fn workers(&self) -> MutexGuard<'_, Vec<Process>> {
        locked(&self.workers)
    }

    /// Kills a worker, which stands still already, and starts another in its place.
    pub(crate) fn replace_worker(&self, place: usize) -> Result<(), String> {
        let started = self.process("worker")?;
        let mut killed = std::mem::replace(&mut self.workers()[place], started);
        let used = killed.used();
        let mut spent = locked(&self.spent);
        spent.memory = spent.memory.max(used.memory);
        spent.processor += used.processor;
        killed.kill();
        Ok(())
    }

    /// What the workers used, the killed among them: memory of the greediest, processor time of all.
    pub(crate) fn used_by_workers(&self) -> Used {
        let mut sum = *locked(&self.spent);
        for worker in self.workers().iter() {
            let used = worker.used();
            sum.memory = sum.memory.max(used.memory);
            sum.processor += used.processor;
        }
        sum
    }

    /// What the webs used.
    pub(crate) fn used_by_webs(&self) -> Used {
        let mut sum = Used::default();
        for used in self.webs.iter().map(Process::used) {
            sum.memory = sum.memory.max(used.memory);
            sum.processor += used.processor;
        }
        sum
    }

    /// Runs a statement in the database; an error while it is away.
    pub(crate) fn database_says(&self, statement: &str) -> Result<String, String> {
        locked(&self.postgres).psql("exports", statement)
    }

    /// Kills the database, and starts it again after a moment.
    pub(crate) fn crash_database(&self) {
        let mut postgres = locked(&self.postgres);
        postgres.crash();
        std::thread::sleep(Duration::from_millis(800));
        postgres.start_again();
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A platform with this many people, which would run more exports at once than it should be asked for.
fn scenario(options: &Options) -> Scenario {
    let mut scenario = Scenario::default();
    let data = &mut scenario.data;
    data.neighbours = options.users;
    data.neighbour_appliances = Some(options.items);
    data.appliances = 1;
    data.software = 0;
    data.accounts = 0;
    data.others = 0;
    data.foreign_tickets = 0;
    data.archive_bytes = options.archive_bytes;
    scenario.timing.slots = options.slots * 4;
    scenario.timing.export_millis = u64::try_from(options.export.as_millis()).unwrap_or(u64::MAX);
    scenario
}
