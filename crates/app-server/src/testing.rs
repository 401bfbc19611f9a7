//! Doubles of the world behind the service.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::JobFailure;
use domain::model::{ItemKind, ItemRef, ObjectId, UserId};
use domain::ports::{ApiError, Event, FinishedBag, ItemStage, Platform, Progress};
use domain::report::Completeness;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use crate::backend::{Assignment, Backend, Credentials, Exported, IdentifyError, Run};

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
    /// A panic.
    Panic,
}

/// A platform where everybody's password is `secret`, with runs that wait until the test lets them go on.
pub(crate) struct FakeBackend {
    questions: AtomicUsize,
    behaviour: Mutex<Behaviour>,
    gate: Arc<Semaphore>,
    tickets: Arc<Mutex<Vec<PathBuf>>>,
}

impl Default for FakeBackend {
    fn default() -> Self {
        Self {
            questions: AtomicUsize::new(0),
            behaviour: Mutex::default(),
            gate: Arc::new(Semaphore::new(0)),
            tickets: Arc::default(),
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

    async fn platform(&self) -> Result<Platform, ApiError> {
        Ok(Platform::default())
    }

    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if credentials.password.expose_secret() == "secret" {
            Ok(credentials.login.clone())
        } else {
            Err(IdentifyError::Refused)
        }
    }

    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, JobFailure> {
        Ok(Box::new(FakeRun {
            assignment,
            behaviour: *self.behaviour.lock().unwrap(),
            gate: Arc::clone(&self.gate),
            tickets: Arc::clone(&self.tickets),
        }))
    }
}

struct FakeRun {
    assignment: Assignment,
    behaviour: Behaviour,
    gate: Arc<Semaphore>,
    tickets: Arc<Mutex<Vec<PathBuf>>>,
}

#[async_trait]
impl Run for FakeRun {
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, JobFailure> {
        let workplace = self.assignment.workplace.clone();
        self.tickets.lock().unwrap().push(workplace.clone());
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
            Behaviour::Fail => Err(JobFailure {
                message: "the platform went away".to_owned(),
                hint: Some("ask again".to_owned()),
            }),
            Behaviour::Deliver => {
                self.abandon().await;
                let name = format!(
                    "{}.{}",
                    self.assignment.order.bag_name.as_str(),
                    self.assignment.order.format.ending()
                );
                let path = workplace.join(name);
                std::fs::write(&path, BAG).unwrap();
                Ok(Exported {
                    bag: FinishedBag {
                        path: Some(path),
                        bytes: BAG.len() as u64,
                    },
                    completeness: Completeness::Complete,
                    report: Bytes::from_static(br#"{"format":"uforge-export/1"}"#),
                })
            }
        }
    }

    async fn abandon(&mut self) -> Vec<String> {
        let workplace = &self.assignment.workplace;
        self.tickets.lock().unwrap().retain(|own| own != workplace);
        Vec::new()
    }
}
