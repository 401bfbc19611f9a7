//! A platform of values that takes imports.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;

use super::SimClock;
use super::import_state::{ImportCall, ImportScript};
use super::import_state::{Job, Matcher, State, object};
use crate::model::{ImportId, ImportOptions, ImportTicket, ItemKind, ObjectFacts};
use crate::ports::{
    ApiError, Clock as _, ExportStatus, ImportApi, ImportTicketFacts, OpenImport, OpenedImport,
    Upload,
};

/// A platform that takes imports, one after the other. An archive is a text: `name version`, and anything behind. Clones share it.
#[derive(Clone)]
pub struct FakeImports {
    clock: SimClock,
    takes: Duration,
    state: Arc<Mutex<State>>,
}

impl FakeImports {
    /// An empty account; each import takes ten seconds.
    pub fn new(clock: &SimClock) -> Self {
        let state = State {
            next_ticket: 50,
            next_object: 900,
            ..State::default()
        };
        Self {
            clock: clock.clone(),
            takes: Duration::from_secs(10),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The next so many requests that match are treated so.
    pub fn script(
        &self,
        times: usize,
        matcher: impl Fn(&ImportCall) -> bool + Send + 'static,
        script: ImportScript,
    ) {
        let script = (Box::new(matcher) as Matcher, script, times);
        self.state().scripts.push_back(script);
    }

    /// An object is there.
    pub fn add(&self, kind: ItemKind, name: &str, version: &str) {
        let mut state = self.state();
        let id = state.next_object;
        state.next_object += 1;
        let object = object(id, name, version, "old");
        state.objects.entry(kind).or_default().push(object);
    }

    /// The list of objects of a kind, as the platform answers it.
    pub fn list(&self, kind: ItemKind) -> Result<Vec<ObjectFacts>, ApiError> {
        if let Some(ImportScript::Refuse(error)) = self.called(ImportCall::List(kind)) {
            return Err(error);
        }
        Ok(self.state().objects.get(&kind).cloned().unwrap_or_default())
    }

    /// Names and versions of the objects that are there, sorted.
    pub fn names(&self, kind: ItemKind) -> Vec<String> {
        self.settle();
        let state = self.state();
        let objects = state.objects.get(&kind).into_iter().flatten();
        let words = |word: &Option<String>| word.clone().unwrap_or_default();
        let mut names: Vec<String> = objects
            .map(|object| format!("{} {}", words(&object.name), words(&object.version)))
            .collect();
        names.sort();
        names
    }

    /// Imports that have made their objects say so from now on.
    pub fn let_end(&self) {
        for job in self.state().jobs.values_mut() {
            job.outcome = job.made.take().or(job.outcome.take());
        }
    }

    /// The appliance tickets that are there.
    pub fn tickets(&self) -> Vec<ImportTicket> {
        let state = self.state();
        let jobs = state.jobs.keys();
        jobs.filter(|ticket| ticket.kind == ItemKind::Appliance)
            .copied()
            .collect()
    }

    /// All requests so far.
    pub fn calls(&self) -> Vec<ImportCall> {
        self.state().calls.clone()
    }

    /// The requests so far that match.
    pub fn count(&self, matcher: impl Fn(&ImportCall) -> bool) -> usize {
        self.calls().iter().filter(|call| matcher(call)).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request; what becomes of it.
    fn called(&self, call: ImportCall) -> Option<ImportScript> {
        self.settle();
        let mut state = self.state();
        let mut scripts = state.scripts.iter_mut();
        let found = scripts.find(|(matcher, _, times)| *times > 0 && matcher(&call));
        let script = found.map(|(_, script, times)| {
            *times -= 1;
            script.clone()
        });
        state.calls.push(call);
        script
    }

    /// Ends the imports whose time has come.
    fn settle(&self) {
        let elapsed = self.clock.elapsed();
        let mut state = self.state();
        let mut due: Vec<(Duration, ImportTicket)> = state
            .jobs
            .iter()
            .filter(|(_, job)| job.outcome.is_none() && !job.never)
            .filter_map(|(ticket, job)| Some((job.ends.filter(|ends| *ends <= elapsed)?, *ticket)))
            .collect();
        due.sort_unstable();
        for (_, ticket) in due {
            state.end(ticket);
        }
    }

    /// What the list of tickets says of these.
    fn listed(&self, tickets: Vec<ImportTicket>) -> Vec<OpenImport> {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let state = self.state();
        let tickets = tickets.into_iter();
        let listed = tickets.filter_map(|ticket| {
            let job = state.jobs.get(&ticket)?;
            Some(OpenImport {
                ticket,
                status: self.status_of(job),
                created: now.checked_sub(elapsed.saturating_sub(job.opened)).ok(),
                uploaded: job.archive.is_some(),
            })
        });
        listed.collect()
    }

    fn lost() -> ApiError {
        ApiError::NoAnswer {
            request: "x".to_owned(),
            sent: true,
            detail: "reset".to_owned(),
        }
    }

    fn missing() -> ApiError {
        ApiError::NotFound {
            request: "x".to_owned(),
            status: 404,
            message: None,
        }
    }

    fn status_of(&self, job: &Job) -> ExportStatus {
        match &job.outcome {
            Some(Ok(_)) => ExportStatus {
                complete: true,
                percentage: Some(100),
                ..ExportStatus::default()
            },
            Some(Err(words)) => ExportStatus {
                error: true,
                error_message: Some(words.clone()),
                ..ExportStatus::default()
            },
            None => {
                let left = job
                    .ends
                    .map(|ends| ends.saturating_sub(self.clock.elapsed()));
                let is_running = left.is_some_and(|left| left < self.takes && !job.never);
                ExportStatus {
                    percentage: is_running.then_some(10),
                    ..ExportStatus::default()
                }
            }
        }
    }
}

#[async_trait]
impl ImportApi for FakeImports {
    async fn open_import(
        &self,
        kind: ItemKind,
        options: ImportOptions,
    ) -> Result<OpenedImport, ApiError> {
        let script = self.called(ImportCall::Open(kind, options));
        if let Some(ImportScript::Refuse(error)) = script {
            return Err(error);
        }
        let ticket = {
            let opened = self.clock.elapsed();
            let mut state = self.state();
            let id = state.next_ticket;
            state.next_ticket += 1;
            let ticket = ImportTicket {
                kind,
                id: ImportId::try_from(id).unwrap_or_else(|error| panic!("{error}")),
            };
            let job = Job {
                opened,
                force: options.overwrite,
                ..Job::default()
            };
            state.jobs.insert(ticket, job);
            ticket
        };
        match script {
            Some(ImportScript::LoseAnswer) => Err(Self::lost()),
            _ => Ok(OpenedImport {
                ticket,
                status: ExportStatus::default(),
            }),
        }
    }

    async fn upload(
        &self,
        ticket: ImportTicket,
        mut archive: Upload,
    ) -> Result<ExportStatus, ApiError> {
        // The script is known before the bytes are taken: a broken upload takes only some.
        let script = self.called(ImportCall::Upload(ticket, Vec::new()));
        if let Some(ImportScript::Refuse(error)) = script {
            return Err(error);
        }
        let most = match script {
            Some(ImportScript::BreakOff(bytes)) => bytes,
            _ => usize::MAX,
        };
        let mut bytes = Vec::new();
        while bytes.len() < most
            && let Some(piece) = archive.body.next().await
        {
            let Ok(piece) = piece else {
                return Err(Self::lost());
            };
            bytes.extend_from_slice(&piece);
        }
        if bytes.len() >= most || bytes.len() as u64 != archive.length {
            return Err(Self::lost());
        }
        if let Some(ImportScript::RefuseWhole(error)) = script {
            return Err(error);
        }
        let elapsed = self.clock.elapsed();
        let mut state = self.state();
        let calls = state.calls.iter_mut().rev();
        let own = calls
            .into_iter()
            .find(|call| **call == ImportCall::Upload(ticket, Vec::new()));
        if let Some(call) = own {
            *call = ImportCall::Upload(ticket, bytes.clone());
        }
        let ends = state.busy_until.max(elapsed) + self.takes;
        let job = state.jobs.get_mut(&ticket).ok_or_else(Self::missing)?;
        job.archive = Some(bytes);
        job.ends = Some(ends);
        match script {
            Some(ImportScript::EndWith(words)) => job.words = Some(words),
            Some(ImportScript::NeverMove | ImportScript::NeverEnd) => job.never = true,
            Some(ImportScript::Reference(uri)) => job.reference = Some(uri),
            _ => {}
        }
        if !job.never {
            state.busy_until = ends;
        }
        if let Some(ImportScript::NeverEnd) = script {
            state.end(ticket);
            if let Some(job) = state.jobs.get_mut(&ticket) {
                job.made = job.outcome.take();
            }
        }
        match script {
            Some(ImportScript::LoseAnswer) => Err(Self::lost()),
            _ => Ok(ExportStatus::default()),
        }
    }

    async fn import_status(&self, ticket: ImportTicket) -> Result<ExportStatus, ApiError> {
        if let Some(ImportScript::Refuse(error)) = self.called(ImportCall::Status(ticket)) {
            return Err(error);
        }
        let state = self.state();
        let job = state.jobs.get(&ticket).ok_or_else(Self::missing)?;
        Ok(self.status_of(job))
    }

    async fn import_ticket(&self, ticket: ImportTicket) -> Result<ImportTicketFacts, ApiError> {
        if let Some(ImportScript::Refuse(error)) = self.called(ImportCall::Ticket(ticket)) {
            return Err(error);
        }
        let state = self.state();
        let job = state.jobs.get(&ticket).ok_or_else(Self::missing)?;
        let list = match ticket.kind {
            ItemKind::Appliance => "appliances",
            ItemKind::MySoftware => "mysoftware",
        };
        let made = job
            .outcome
            .as_ref()
            .and_then(|outcome| outcome.as_ref().ok());
        let own = made.map(|id| format!("users/john/{list}/{id}"));
        Ok(ImportTicketFacts {
            status: self.status_of(job),
            uploaded: Some(job.archive.is_some()),
            reference: own.map(|own| job.reference.map_or(own, str::to_owned)),
        })
    }

    async fn open_imports(&self) -> Result<Vec<OpenImport>, ApiError> {
        match self.called(ImportCall::OpenImports) {
            Some(ImportScript::Refuse(error)) => Err(error),
            Some(ImportScript::HideNewest) => {
                let mut tickets = self.tickets();
                tickets.pop();
                Ok(self.listed(tickets))
            }
            _ => Ok(self.listed(self.tickets())),
        }
    }

    async fn delete_import(&self, ticket: ImportTicket) -> Result<(), ApiError> {
        if ticket.kind == ItemKind::MySoftware {
            return Ok(());
        }
        if let Some(ImportScript::Refuse(error)) = self.called(ImportCall::Delete(ticket)) {
            return Err(error);
        }
        self.state().jobs.remove(&ticket);
        Ok(())
    }
}
