//! What was asked for.

use std::path::PathBuf;
use std::time::Duration;

/// What a measurement is to be of.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The program of the service.
    pub(crate) server: PathBuf,
    /// The program that verifies bags.
    pub(crate) verifier: PathBuf,
    /// People, each with as many items.
    pub(crate) users: u32,
    pub(crate) items: u32,
    /// One run for each number of workers.
    pub(crate) workers: Vec<usize>,
    pub(crate) webs: usize,
    /// Exports that one worker runs at the same time.
    pub(crate) jobs: usize,
    /// Exports that the platform works on at the same time, and how long each takes.
    pub(crate) slots: usize,
    pub(crate) export: Duration,
    pub(crate) archive_bytes: u64,
    pub(crate) lease: Duration,
    /// How often a worker is killed.
    pub(crate) kill_every: Option<Duration>,
    /// Whether one stands still for longer than its lease.
    pub(crate) stop: bool,
    /// How often the database is killed and started again.
    pub(crate) database_crashes: usize,
    /// Archives in a folder of this machine instead of an object store.
    pub(crate) folder: bool,
    /// What each order says.
    pub(crate) order: String,
    /// Where the figures go as JSON.
    pub(crate) json: Option<PathBuf>,
}

/// What is said to whoever asks for it, or for something that is not known.
pub(crate) const HELP: &str = "\
fleet-load --server FILE --verifier FILE [OPTIONS]
  --users N             people (2000)                --items N        appliances of each (5)
  --workers N[,N…]      one run for each (3)         --webs N         replicas that serve (1)
  --worker-jobs N       exports a worker (8)         --slots N        exports on the platform at once (16)
  --export-millis N     time of one (400)            --archive-bytes N (20000)
  --lease SECONDS       (4)                          --order JSON     what each person orders
  --kill-every SECONDS  SIGKILL of a worker          --stop           one SIGSTOP for two leases
  --restart-database N  crashes of the database      --folder         archives in a folder, not in S3
  --short               few people: to try it out    --json FILE      the figures for programs
";

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            server: PathBuf::new(),
            verifier: PathBuf::new(),
            users: 2000,
            items: 5,
            workers: vec![3],
            webs: 1,
            jobs: 8,
            slots: 16,
            export: Duration::from_millis(400),
            archive_bytes: 20_000,
            lease: Duration::from_secs(4),
            kill_every: None,
            stop: false,
            database_crashes: 0,
            folder: false,
            order: r#"{"include":["profile","appliances"]}"#.to_owned(),
            json: None,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--stop" => options.stop = true,
                "--folder" => options.folder = true,
                "--short" => options.shorten(),
                _ => {
                    let value = arguments.next();
                    let value = value.ok_or_else(|| format!("`{name}` is not known\n{HELP}"))?;
                    options.set(&name, &value)?;
                }
            }
        }
        if options.workers.is_empty() || options.workers.contains(&0) || options.webs == 0 {
            return Err("there has to be a worker and a web".to_owned());
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--server" => self.server = value.into(),
            "--verifier" => self.verifier = value.into(),
            "--users" => self.users = number(name, value)?,
            "--items" => self.items = number(name, value)?,
            "--workers" => {
                let counts = value.split(',').map(|count| number(name, count));
                self.workers = counts.collect::<Result<_, _>>()?;
            }
            "--webs" => self.webs = number(name, value)?,
            "--worker-jobs" => self.jobs = number(name, value)?,
            "--slots" => self.slots = number(name, value)?,
            "--export-millis" => self.export = Duration::from_millis(number(name, value)?),
            "--archive-bytes" => self.archive_bytes = number(name, value)?,
            "--lease" => self.lease = Duration::from_secs(number(name, value)?),
            "--kill-every" => self.kill_every = Some(Duration::from_secs(number(name, value)?)),
            "--restart-database" => self.database_crashes = number(name, value)?,
            "--order" => value.clone_into(&mut self.order),
            "--json" => self.json = Some(value.into()),
            _ => return Err(format!("`{name}` is not known\n{HELP}")),
        }
        Ok(())
    }

    /// Few people, to see that everything runs. What is said after it still counts.
    fn shorten(&mut self) {
        self.users = 24;
        self.items = 2;
        self.slots = 4;
        self.export = Duration::from_millis(300);
    }

    /// Whether anything is done to the processes.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.kill_every.is_some() || self.stop || self.database_crashes > 0
    }

    /// The same, with nothing done to the processes.
    pub(crate) fn undisturbed(&self) -> Self {
        Self {
            kill_every: None,
            stop: false,
            database_crashes: 0,
            ..self.clone()
        }
    }

    /// How long the exports take where the platform's slots are always in use.
    pub(crate) fn bound(&self) -> Duration {
        let exports = f64::from(self.users) * f64::from(self.items);
        let slots = u32::try_from(self.slots).unwrap_or(u32::MAX);
        self.export.mul_f64(exports / f64::from(slots))
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    let number = value.parse();
    number.map_err(|_| format!("`{name} {value}`: that is no number"))
}
