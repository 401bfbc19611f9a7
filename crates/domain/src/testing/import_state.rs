//! What a platform of values knows of imports, and what may become of requests for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::model::{ImportOptions, ImportTicket, ItemKind, ObjectFacts};
use crate::ports::ApiError;

/// One request for imports, as the platform saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportCall {
    /// A list of objects.
    List(ItemKind),
    /// A request for a ticket.
    Open(ItemKind, ImportOptions),
    /// An upload; all its bytes.
    Upload(ImportTicket, Vec<u8>),
    /// A status.
    Status(ImportTicket),
    /// A ticket.
    Ticket(ImportTicket),
    /// The list of tickets.
    OpenImports,
    /// A deletion.
    Delete(ImportTicket),
}

/// What becomes of a request instead of its answer.
#[derive(Clone, Debug)]
pub enum ImportScript {
    /// This error, and nothing done.
    Refuse(ApiError),
    /// All of an upload is taken, and answered with this error; nothing comes of it.
    RefuseWhole(ApiError),
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// So many bytes of an upload are taken, then the connection ends.
    BreakOff(usize),
    /// The import that this upload begins ends with these words.
    EndWith(&'static str),
    /// The import that this upload begins never moves.
    NeverMove,
    /// The import that this upload begins makes its object at once, and never says that it has ended, until [`FakeImports::let_end`].
    ///
    /// [`FakeImports::let_end`]: super::FakeImports::let_end
    NeverEnd,
    /// The list lacks the newest ticket: the platform is still making it.
    HideNewest,
    /// The ticket names this.
    Reference(&'static str),
}

pub(super) type Matcher = Box<dyn Fn(&ImportCall) -> bool + Send>;

#[derive(Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<ItemKind, Vec<ObjectFacts>>,
    pub(super) archives: BTreeMap<(ItemKind, i64), Vec<u8>>,
    pub(super) jobs: BTreeMap<ImportTicket, Job>,
    pub(super) next_ticket: i64,
    pub(super) next_object: i64,
    pub(super) busy_until: Duration,
    pub(super) calls: Vec<ImportCall>,
    pub(super) scripts: VecDeque<(Matcher, ImportScript, usize)>,
}

#[derive(Default)]
pub(super) struct Job {
    pub(super) opened: Duration,
    pub(super) force: bool,
    pub(super) archive: Option<Vec<u8>>,
    pub(super) ends: Option<Duration>,
    pub(super) never: bool,
    pub(super) outcome: Option<Result<i64, String>>,
    /// What it came to without saying so.
    pub(super) made: Option<Result<i64, String>>,
    pub(super) words: Option<&'static str>,
    pub(super) reference: Option<&'static str>,
}

impl State {
    pub(super) fn end(&mut self, ticket: ImportTicket) {
        let Some(job) = self.jobs.get_mut(&ticket) else {
            return;
        };
        if let Some(words) = job.words {
            job.outcome = Some(Err(words.to_owned()));
            return;
        }
        let archive = job.archive.clone().unwrap_or_default();
        let text = String::from_utf8_lossy(&archive).into_owned();
        let mut words = text.split(' ');
        let (name, version) = (
            words.next().unwrap_or_default().to_owned(),
            words.next().unwrap_or_default().to_owned(),
        );
        let objects = self.objects.entry(ticket.kind).or_default();
        let there = objects.iter_mut().find(|object| {
            object.name.as_deref() == Some(&name) && object.version.as_deref() == Some(&version)
        });
        let id = match there {
            Some(there) if job.force => {
                there.digest = Some("new".to_owned());
                there.id.unwrap_or_default()
            }
            Some(_) => {
                job.outcome = Some(Err("this name already exists".to_owned()));
                return;
            }
            None => {
                let id = self.next_object;
                self.next_object += 1;
                objects.push(object(id, &name, &version, "new"));
                id
            }
        };
        job.outcome = Some(Ok(id));
        self.archives.insert((ticket.kind, id), archive);
    }
}

pub(super) fn object(id: i64, name: &str, version: &str, digest: &str) -> ObjectFacts {
    ObjectFacts {
        id: Some(id),
        name: Some(name.to_owned()),
        version: Some(version.to_owned()),
        digest: Some(digest.to_owned()),
        ..ObjectFacts::default()
    }
}
