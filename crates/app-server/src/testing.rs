//! Doubles of the world behind the service.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_store::{Database, DiskBags, SqliteCredentials, SqliteJobStore};
use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{
    AuditLog, BagStore as _, BagStoreError, CampaignStore, Job, JobFailure, JobId, JobRequest,
    JobStore, KeptBag, Lease, OpenedRun, RunReport, RunSettings, RunStore, RunStoreError,
    RunWriter, SealedCredentials, WorkerId,
};
use domain::model::{ItemKind, ItemRef, ObjectId, SafeName, UserId};
use domain::ports::{
    ApiError, Clock, Event, ItemStage, Journal, MemoryJournal, MockClock, Platform, Progress,
};
use domain::report::{Completeness, TagSums, delivered, sample};
use domain::testing::{MemoryAudit, MemoryCredentials, MemoryJobStore};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::backend::{
    Assignment, Backend, Credentials, Exported, IdentifyError, LeftOver, People, Run, Setback,
    SetbackKind, SignIn, Unfinished, setback_of_runs,
};
use crate::compose;
use crate::runner::{Duty, Pace, RunnerPorts, Terms};
use crate::sign::{SignError, Signer};

/// The bytes of every bag that a fake run makes.
pub(crate) const BAG: &[u8] = b"a bag of forty bytes, no more, no less..";

/// What fake runs do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// A bag.
    #[default]
    Deliver,
    /// A failure.
    Fail,
    /// Fails, and can be resumed.
    Break,
    /// The platform is away.
    BeAway,
    /// The platform refuses the credentials.
    Refuse,
    /// The disk is full.
    FindNoSpace,
    /// A panic.
    Panic,
}

/// A platform where everybody's password is `secret`, with runs that wait until the test lets them go on.
pub(crate) struct FakeBackend {
    questions: AtomicUsize,
    behaviour: Mutex<Behaviour>,
    gate: Arc<Semaphore>,
    tickets: Arc<Mutex<Vec<JobId>>>,
    passwords: Mutex<Vec<String>>,
    has_service_account: AtomicBool,
    /// How often it was asked whether it accepts the service's own credentials, and whether it refuses them.
    pub(crate) service_checks: AtomicUsize,
    pub(crate) refuses_service: AtomicBool,
    /// The platform does not answer the question who somebody is, and deletes no tickets.
    pub(crate) is_away: Arc<AtomicBool>,
    /// The password that the platform accepts.
    pub(crate) accepts: Mutex<&'static str>,
}

impl Default for FakeBackend {
    fn default() -> Self {
        Self {
            questions: AtomicUsize::new(0),
            behaviour: Mutex::default(),
            gate: Arc::new(Semaphore::new(0)),
            tickets: Arc::default(),
            passwords: Mutex::default(),
            has_service_account: AtomicBool::new(false),
            service_checks: AtomicUsize::new(0),
            refuses_service: AtomicBool::new(false),
            is_away: Arc::default(),
            accepts: Mutex::new("secret"),
        }
    }
}

impl FakeBackend {
    /// How often it was asked who somebody is.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    /// Lets so many runs come to their end.
    pub(crate) fn let_through(&self, runs: usize) {
        self.gate.add_permits(runs);
    }

    /// What runs do from now on.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// Runs sign in as the service from now on.
    pub(crate) fn add_service_account(&self) {
        self.has_service_account.store(true, Ordering::SeqCst);
    }

    /// What runs signed in with so far; nothing for the service itself.
    pub(crate) fn passwords(&self) -> Vec<String> {
        self.passwords.lock().unwrap().clone()
    }

    /// Runs whose tickets are open on the platform.
    pub(crate) fn open_tickets(&self) -> usize {
        self.tickets.lock().unwrap().len()
    }
}

#[async_trait]
impl Backend for FakeBackend {
    fn source(&self) -> &'static str {
        "https://uforge.example.com/api"
    }

    fn has_service_account(&self) -> bool {
        self.has_service_account.load(Ordering::SeqCst)
    }

    async fn check_service(&self) -> Result<(), IdentifyError> {
        self.service_checks.fetch_add(1, Ordering::SeqCst);
        if self.refuses_service.load(Ordering::SeqCst) {
            Err(IdentifyError::Refused)
        } else {
            Ok(())
        }
    }

    async fn platform(&self) -> Result<Platform, ApiError> {
        Ok(Platform::default())
    }

    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.is_away.load(Ordering::SeqCst) {
            return Err(IdentifyError::Platform(ApiError::Overloaded {
                request: "GET users".to_owned(),
                status: 503,
                retry_after: None,
                proxy: None,
                message: None,
            }));
        }
        if credentials.password.expose_secret() == *self.accepts.lock().unwrap() {
            Ok(credentials.login.clone())
        } else {
            Err(IdentifyError::Refused)
        }
    }

    async fn look_up(
        &self,
        credentials: &Credentials,
        user: &UserId,
    ) -> Result<UserId, IdentifyError> {
        self.identify(credentials).await?;
        // As on a platform where logins differ in more than case.
        let login = user.as_str().to_lowercase();
        match (credentials.login.as_str(), login.as_str()) {
            (_, "nobody") => Err(IdentifyError::Unknown),
            ("root", _) => UserId::parse(&login).map_err(|_| IdentifyError::Nameless),
            (own, other) if own == other => Ok(user.clone()),
            _ => Err(IdentifyError::Forbidden),
        }
    }

    async fn people(
        &self,
        credentials: &Credentials,
        which: &People,
    ) -> Result<Vec<UserId>, IdentifyError> {
        self.identify(credentials).await?;
        let logins: &[&str] = match which {
            People::Everyone => &["ann", "bob", "john", "root"],
            People::Members(org) if org.get() == 404 => {
                return Err(IdentifyError::Platform(ApiError::NotFound {
                    request: "GET orgs/404/members".to_owned(),
                    status: 404,
                    message: None,
                }));
            }
            People::Members(_) => &["ann", "bob"],
        };
        Ok(logins.iter().map(|login| user(login)).collect())
    }

    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, Setback> {
        let password = match &assignment.sign_in {
            SignIn::Person(credentials) => credentials.password.expose_secret().to_owned(),
            SignIn::Service => String::new(),
        };
        self.passwords.lock().unwrap().push(password);
        let order = &assignment.order;
        let settings = RunSettings::of(order, assignment.file.clone());
        let opened = assignment.runs.open(&assignment.lease, &settings).await;
        opened.map_err(|error| setback_of_runs(&error))?;
        Ok(Box::new(FakeRun {
            assignment,
            behaviour: *self.behaviour.lock().unwrap(),
            gate: Arc::clone(&self.gate),
            tickets: Arc::clone(&self.tickets),
            is_away: Arc::clone(&self.is_away),
        }))
    }

    async fn abandon_unfinished(
        &self,
        unfinished: Unfinished<'_>,
        sign_in: Option<SignIn>,
    ) -> LeftOver {
        let job = unfinished.writer.job();
        let mut tickets = self.tickets.lock().unwrap();
        if sign_in.is_some() && !self.is_away.load(Ordering::SeqCst) {
            tickets.retain(|own| own != job);
        }
        LeftOver {
            notes: Vec::new(),
            is_open: tickets.contains(job),
        }
    }
}

fn exported(name: SafeName) -> Exported {
    Exported {
        name,
        completeness: Completeness::Complete,
        report: Bytes::from_static(br#"{"format":"uforge-export/1"}"#),
        delivered: Some(delivered(&sample::complete(), TagSums::default())),
        notes: Vec::new(),
    }
}

/// Signs with the length of what is signed.
struct FakeSigner;

impl Signer for FakeSigner {
    fn sign(&self, document: &[u8], _: &str) -> Result<String, SignError> {
        Ok(format!("signature over {} bytes\n", document.len()))
    }
}

struct FakeRun {
    assignment: Assignment,
    behaviour: Behaviour,
    gate: Arc<Semaphore>,
    tickets: Arc<Mutex<Vec<JobId>>>,
    is_away: Arc<AtomicBool>,
}

fn setback(kind: SetbackKind, message: &str) -> Setback {
    Setback {
        kind,
        failure: JobFailure {
            message: message.to_owned(),
            hint: Some("ask again".to_owned()),
        },
    }
}

#[async_trait]
impl Run for FakeRun {
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, Setback> {
        {
            let job = &self.assignment.lease.job;
            let mut tickets = self.tickets.lock().unwrap();
            if !tickets.contains(job) {
                tickets.push(job.clone());
            }
        }
        let item = ItemRef {
            kind: ItemKind::Appliance,
            id: ObjectId::try_from(201).unwrap(),
        };
        progress.on(&Event::Planned {
            items: 1,
            documents: 2,
        });
        progress.on(&Event::Item {
            item,
            name: "web shop".to_owned(),
            stage: ItemStage::Downloading,
        });
        self.gate.acquire().await.unwrap().forget();
        match self.behaviour {
            Behaviour::Panic => panic!("a run that nobody foresaw"),
            Behaviour::Fail => Err(setback(SetbackKind::Final, "the platform went away")),
            Behaviour::Break => Err(setback(SetbackKind::Resumable, "the run broke off")),
            Behaviour::BeAway => Err(setback(SetbackKind::PlatformAway, "it does not answer")),
            Behaviour::Refuse => Err(setback(SetbackKind::SignInRefused, "a wrong password")),
            Behaviour::FindNoSpace => Err(setback(SetbackKind::NoSpace, "no space left")),
            Behaviour::Deliver => {
                self.abandon().await;
                Ok(exported(self.assignment.file.clone()))
            }
        }
    }

    async fn suspend(&mut self) {}

    async fn abandon(&mut self) -> Vec<String> {
        if self.is_away.load(Ordering::SeqCst) {
            return vec!["a ticket is left on the platform".to_owned()];
        }
        let job = &self.assignment.lease.job;
        self.tickets.lock().unwrap().retain(|own| own != job);
        Vec::new()
    }
}

const REPORT: &[u8] = br#"{"format":"uforge-export/1","outcome":"complete"}"#;

/// Runs that write [`BAG`] when it is kept.
pub(crate) struct FakeRuns(DiskBags);

#[async_trait]
impl RunStore for FakeRuns {
    async fn open(&self, lease: &Lease, _: &RunSettings) -> Result<OpenedRun, RunStoreError> {
        self.0.work_folder(&lease.job).await.unwrap();
        Ok(OpenedRun::Complete {
            journal: Arc::new(MemoryJournal::default()),
        })
    }

    async fn unfinished(&self, _: &RunWriter) -> Result<Vec<Arc<dyn Journal>>, RunStoreError> {
        Ok(Vec::new())
    }

    async fn discard(&self, writer: &RunWriter) -> Result<(), RunStoreError> {
        self.0.delete(writer.job()).await.unwrap();
        Ok(())
    }

    async fn keep(&self, lease: &Lease, file: &SafeName) -> Result<KeptBag, RunStoreError> {
        if !self.is_kept(lease, file).await? {
            let folder = self.0.work_folder(&lease.job).await.unwrap();
            std::fs::write(folder.join(file.as_str()), BAG).unwrap();
        }
        Ok(self.0.keep(&lease.job, file).await.unwrap())
    }

    async fn is_kept(&self, lease: &Lease, file: &SafeName) -> Result<bool, RunStoreError> {
        let opened = self.0.open(&lease.job, file, u64::MAX, 0..0).await;
        Ok(!matches!(opened, Err(BagStoreError::Missing { .. })))
    }

    async fn report(&self, _: &Lease, _: &SafeName) -> Result<Option<RunReport>, RunStoreError> {
        Ok(Some(RunReport {
            export_json: Bytes::from_static(REPORT),
            delivered: Some(Box::new(delivered(&sample::complete(), TagSums::default()))),
        }))
    }
}

/// Stores of a test: records in memory, bags in a folder.
#[derive(Clone)]
pub(crate) struct TestStores {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) campaigns: Arc<dyn CampaignStore>,
    pub(crate) bags: Arc<DiskBags>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) sealed: Arc<dyn SealedCredentials>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl TestStores {
    pub(crate) fn new(folder: &std::path::Path) -> Self {
        let clock = compose::clock();
        let jobs = Arc::new(MemoryJobStore::new(Arc::clone(&clock)));
        Self {
            store: Arc::clone(&jobs) as Arc<dyn JobStore>,
            campaigns: jobs,
            bags: Arc::new(DiskBags::open(folder).unwrap()),
            audit: Arc::new(MemoryAudit::default()),
            sealed: Arc::new(MemoryCredentials::default()),
            clock,
        }
    }

    /// With records in a database, where what is sealed for a job goes with its end.
    pub(crate) async fn in_database(folder: &std::path::Path) -> Self {
        let others = Self::new(folder);
        let path = folder.join("jobs.sqlite");
        let clock = Arc::clone(&others.clock);
        let database = Database::open(&path, clock).await.unwrap();
        let jobs = Arc::new(SqliteJobStore::new(&database));
        Self {
            store: Arc::clone(&jobs) as Arc<dyn JobStore>,
            campaigns: jobs,
            sealed: Arc::new(SqliteCredentials::new(&database)),
            ..others
        }
    }

    /// What a runner needs, with this platform.
    pub(crate) fn ports(&self, backend: &Arc<FakeBackend>) -> RunnerPorts {
        RunnerPorts {
            store: Arc::clone(&self.store),
            campaigns: Arc::clone(&self.campaigns),
            runs: Arc::new(FakeRuns((*self.bags).clone())),
            bags: Arc::clone(&self.bags) as _,
            slots: None,
            rate: None,
            audit: Arc::clone(&self.audit),
            sealed: Arc::clone(&self.sealed),
            seal: None,
            signer: Some(Arc::new(FakeSigner)),
            backend: Arc::clone(backend) as Arc<dyn Backend>,
            clock: Arc::clone(&self.clock),
        }
    }
}

/// What a runner goes by in tests: usual, but without long pauses.
pub(crate) fn terms(places: usize) -> Terms {
    Terms {
        worker: WorkerId::of(&uuid::Uuid::now_v7().to_string()),
        duty: Duty::Alone,
        deaths: Job::DEATHS,
        places,
        keep_archive: Duration::from_hours(1),
        give_up_after: Duration::from_hours(24),
        store_limit: None,
        shares: Terms::SHARES,
        pace: Pace {
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(20),
            look_every: Duration::from_millis(10),
            sweep_every: Duration::from_millis(20),
            ..Pace::default()
        },
    }
}

/// A job's id.
pub(crate) fn id(number: u32) -> JobId {
    JobId::parse(&format!("00000000-0000-7000-8000-0000{number:08}")).unwrap()
}

/// A login.
pub(crate) fn user(login: &str) -> UserId {
    UserId::parse(login).unwrap()
}

/// An order, different from every other.
pub(crate) fn job(number: u32, login: &str) -> Job {
    let mut request = JobRequest::everything_of(user(login));
    let only = ObjectId::try_from(i64::from(number)).unwrap();
    request.selection.appliances = Some([only].into());
    Job::new(id(number), user(login), request, Timestamp::UNIX_EPOCH)
}

/// What a person signs in with.
pub(crate) fn credentials(login: &str) -> Credentials {
    Credentials {
        login: user(login),
        password: SecretString::from("secret"),
    }
}

/// The system's time, and as much later as a test says.
pub(crate) fn later_clock(clock: Arc<dyn Clock>, later: &Arc<Mutex<Duration>>) -> Arc<dyn Clock> {
    let mut shifted = MockClock::new();
    let (system, by) = (Arc::clone(&clock), Arc::clone(later));
    shifted
        .expect_now()
        .returning(move || system.now().checked_add(*by.lock().unwrap()).unwrap());
    let by = Arc::clone(later);
    shifted
        .expect_elapsed()
        .returning(move || clock.elapsed() + *by.lock().unwrap());
    Arc::new(shifted)
}
