//! Doubles of the world behind the service.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::{AuditLog, BagStore, Job, JobFailure, JobId, JobRequest, JobStore};
use domain::model::{ItemKind, ItemRef, ObjectId, SafeName, UserId};
use domain::ports::{ApiError, Clock, Event, ItemStage, MockClock, Platform, Progress};
use domain::report::{Completeness, TagSums, delivered, sample};
use domain::testing::{MemoryAudit, MemoryCredentials, MemoryJobStore};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::backend::{
    Assignment, Backend, Credentials, Exported, IdentifyError, LeftOver, Run, Setback, SetbackKind,
    SignIn,
};
use crate::compose;
use crate::runner::{Pace, RunnerPorts, Terms};
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
    tickets: Arc<Mutex<Vec<PathBuf>>>,
    passwords: Mutex<Vec<String>>,
    has_service_account: AtomicBool,
    /// The platform does not answer the question who somebody is.
    pub(crate) is_away: AtomicBool,
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
            is_away: AtomicBool::new(false),
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
            (_, "nobody") => Err(IdentifyError::Refused),
            ("root", _) => UserId::parse(&login).map_err(|_| IdentifyError::Nameless),
            (own, other) if own == other => Ok(user.clone()),
            _ => Err(IdentifyError::Forbidden),
        }
    }

    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, Setback> {
        let password = match &assignment.sign_in {
            SignIn::Person(credentials) => credentials.password.expose_secret().to_owned(),
            SignIn::Service => String::new(),
        };
        self.passwords.lock().unwrap().push(password);
        Ok(Box::new(FakeRun {
            assignment,
            behaviour: *self.behaviour.lock().unwrap(),
            gate: Arc::clone(&self.gate),
            tickets: Arc::clone(&self.tickets),
        }))
    }

    async fn abandon_unfinished(
        &self,
        _: &UserId,
        folder: PathBuf,
        sign_in: Option<SignIn>,
    ) -> LeftOver {
        let mut tickets = self.tickets.lock().unwrap();
        if sign_in.is_some() {
            tickets.retain(|own| *own != folder);
        }
        LeftOver {
            notes: Vec::new(),
            is_open: tickets.contains(&folder),
        }
    }

    async fn read_report(&self, _: PathBuf, name: SafeName) -> Result<Exported, Setback> {
        Ok(exported(name))
    }
}

fn exported(name: SafeName) -> Exported {
    Exported {
        name,
        completeness: Completeness::Complete,
        report: Bytes::from_static(br#"{"format":"uforge-export/1"}"#),
        delivered: Some(delivered(&sample::complete(), TagSums::default())),
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
    tickets: Arc<Mutex<Vec<PathBuf>>>,
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
        let folder = self.assignment.folder.clone();
        {
            let mut tickets = self.tickets.lock().unwrap();
            if !tickets.contains(&folder) {
                tickets.push(folder.clone());
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
                let order = &self.assignment.order;
                let name = format!("{}.{}", order.bag_name.as_str(), order.format.ending());
                std::fs::write(folder.join(&name), BAG).unwrap();
                Ok(exported(SafeName::parse(&name).unwrap()))
            }
        }
    }

    async fn suspend(&mut self) {}

    async fn abandon(&mut self) -> Vec<String> {
        let folder = &self.assignment.folder;
        self.tickets.lock().unwrap().retain(|own| own != folder);
        Vec::new()
    }
}

/// Stores of a test: records in memory, bags in a folder.
#[derive(Clone)]
pub(crate) struct TestStores {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) bags: Arc<dyn BagStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) sealed: Arc<MemoryCredentials>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl TestStores {
    pub(crate) fn new(folder: &std::path::Path) -> Self {
        let clock = compose::clock();
        Self {
            store: Arc::new(MemoryJobStore::new(Arc::clone(&clock))),
            bags: Arc::new(adapters_store::DiskBags::open(folder).unwrap()),
            audit: Arc::new(MemoryAudit::default()),
            sealed: Arc::default(),
            clock,
        }
    }

    /// What a runner needs, with this platform.
    pub(crate) fn ports(&self, backend: &Arc<FakeBackend>) -> RunnerPorts {
        RunnerPorts {
            store: Arc::clone(&self.store),
            bags: Arc::clone(&self.bags),
            audit: Arc::clone(&self.audit),
            sealed: Arc::clone(&self.sealed) as _,
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
