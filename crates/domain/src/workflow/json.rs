//! Documents as JSON: whether the platform offers them. Found out once a run, so that nobody asks in vain for every document.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::lock;

use super::attempt::{Failed, Problem};
use super::resumed::Resumed;
use crate::model::{ItemKind, ListResource, Order, PartKind, Representation, Resource};
use crate::ports::{ApiError, Document};

/// So many kinds of resources without JSON, and none with it, speak for all.
const KINDS_THAT_SPEAK_FOR_ALL: usize = 2;

/// So many documents that the platform fails to give as JSON, and none that it gave since, speak for all: what it is asked for then,
/// it is asked for once.
const DOCUMENTS_THAT_SPEAK_FOR_ALL: usize = 3;

/// Resources of which the platform offers all as JSON, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    User,
    List(ListResource),
    Item(ItemKind),
    CloudAccount,
    WorkspaceTemplates,
    WorkspaceComments,
    TemplateComments,
    Part(PartKind),
}

impl Kind {
    fn of(resource: Resource) -> Self {
        match resource {
            Resource::User => Self::User,
            Resource::List(list, _) => Self::List(list),
            Resource::Item(item) => Self::Item(item.kind),
            Resource::CloudAccount(_) => Self::CloudAccount,
            Resource::WorkspaceTemplates { .. } => Self::WorkspaceTemplates,
            Resource::WorkspaceComments { .. } => Self::WorkspaceComments,
            Resource::TemplateComments { .. } => Self::TemplateComments,
            Resource::Part(part, _) => Self::Part(part.kind()),
        }
    }

    /// Whether there are several resources of this kind, which are fetched at the same time.
    fn has_several(self) -> bool {
        !matches!(self, Self::User | Self::List(_))
    }

    fn in_words(self) -> String {
        match self {
            Self::User => "the profile".to_owned(),
            Self::List(list) => format!("the list of {}", list.name()),
            Self::Item(ItemKind::Appliance) => "single appliances".to_owned(),
            Self::Item(ItemKind::MySoftware) => "single software bundles".to_owned(),
            Self::CloudAccount => "single cloud accounts".to_owned(),
            Self::WorkspaceTemplates => "the templates of workspaces".to_owned(),
            Self::WorkspaceComments => "the comments of workspaces".to_owned(),
            Self::TemplateComments => "the comments of templates".to_owned(),
            Self::Part(kind) => format!("{} of items", kind.below_item()),
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    offered: BTreeSet<Kind>,
    refused: BTreeSet<Kind>,
    /// Documents that it has as XML, and failed (5xx) to give as JSON to the last attempt, since it last gave one.
    failed: usize,
    /// Whether documents were asked for once only, for that reason.
    was_failing: bool,
}

impl Known {
    fn is_failing(&self) -> bool {
        self.failed >= DOCUMENTS_THAT_SPEAK_FOR_ALL
    }

    /// Whether resources of this kind are to be had as JSON; `None` where that has to be found out.
    fn offers(&self, kind: Kind) -> Option<bool> {
        let none_at_all = self.offered.is_empty() && self.refused.len() >= KINDS_THAT_SPEAK_FOR_ALL;
        if self.offered.contains(&kind) {
            Some(true)
        } else if self.refused.contains(&kind) || none_at_all {
            Some(false)
        } else {
            None
        }
    }
}

/// What a run knows of the platform's JSON.
#[derive(Debug, Default)]
pub(crate) struct Json {
    known: Mutex<Known>,
    /// Held while something is being found out, so that no other request asks the same.
    turn: lock::Mutex<()>,
}

impl Json {
    /// What an interrupted run has found out.
    pub(crate) fn after(resumed: &Resumed) -> Self {
        let mut known = Known::default();
        for resource in resumed.not_as_json.iter() {
            known.refused.insert(Kind::of(*resource));
        }
        for resource in resumed.as_json.iter() {
            known.offered.insert(Kind::of(*resource));
        }
        Self {
            known: Mutex::new(known),
            turn: lock::Mutex::default(),
        }
    }

    /// The turn to find something out: `None` where it is known, or where nobody else can be asking at the same time.
    pub(super) async fn turn(&self, resource: Resource) -> Option<lock::MutexGuard<'_, ()>> {
        let kind = Kind::of(resource);
        // Not held across the await: what is known is looked at again afterwards.
        let must_wait = {
            let known = self.known();
            known.offers(kind).is_none()
                && !known.is_failing()
                && (known.offered.is_empty() || kind.has_several())
        };
        if must_wait {
            Some(self.turn.lock().await)
        } else {
            None
        }
    }

    /// Whether the platform is known not to offer it.
    pub(super) fn is_refused(&self, resource: Resource) -> bool {
        self.known().offers(Kind::of(resource)) == Some(false)
    }

    /// Whether another attempt at a document as JSON may help after this error: not where the platform fails with all of them.
    pub(super) fn is_worth_another(&self, error: &ApiError) -> bool {
        !(is_of_the_server(error) && self.known().is_failing())
    }

    /// Records what an answer says of its kind.
    pub(super) fn learn(&self, resource: Resource, answer: &Result<Document, Problem>) {
        let kind = Kind::of(resource);
        let mut known = self.known();
        match answer {
            Ok(_) => {
                known.offered.insert(kind);
                known.failed = 0;
            }
            Err(Problem::Failure(failed)) if is_of_the_server(&failed.error) => {
                known.failed += 1;
                known.was_failing |= known.is_failing();
            }
            Err(problem)
                if (is_not_offered(problem) || is_no_document(problem))
                    && !known.offered.contains(&kind) =>
            {
                known.refused.insert(kind);
            }
            Err(_) => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the report says of documents that are kept as XML only.
    pub(crate) fn notes(&self, order: &Order) -> Vec<String> {
        let known = self.known();
        let keeps_both = order.documents.keeps(Representation::Xml)
            && order.documents.keeps(Representation::Json);
        let failing = known.was_failing.then(|| {
            "the platform failed again and again to give documents as JSON: others were asked for once only".to_owned()
        });
        let missing = if keeps_both { known.note() } else { None };
        failing.into_iter().chain(missing).collect()
    }
}

impl Known {
    fn note(&self) -> Option<String> {
        if self.refused.is_empty() {
            return None;
        }
        if self.offered.is_empty() {
            return Some(
                "the platform does not offer JSON: documents are kept as XML only".to_owned(),
            );
        }
        let kinds: Vec<String> = self.refused.iter().map(|kind| kind.in_words()).collect();
        Some(format!(
            "the platform does not offer everything as JSON; kept as XML only: {}",
            kinds.join(", ")
        ))
    }
}

/// Whether the server failed with a request that it understood.
fn is_of_the_server(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::ServerFault { .. } | ApiError::Overloaded { status: 500.., .. }
    )
}

/// Whether the platform has the document, but not as JSON.
pub(super) fn is_not_offered(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Failure(Failed {
            error: ApiError::NotOffered { .. },
            ..
        })
    )
}

/// Whether a page, or nothing, came again and again where the same resource as XML is a document: so answer front ends that know
/// no JSON. Where others of its kind are offered it is a failure all the same.
fn is_no_document(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Failure(Failed {
            error: ApiError::NotUForge { .. } | ApiError::Empty { .. },
            ..
        })
    )
}

/// What is missing where JSON was the only form asked for.
pub(super) fn not_offered(resource: Resource) -> Failed {
    Failed {
        error: ApiError::NotOffered {
            request: format!("{resource} as JSON"),
            detail: "it has this document as XML only".to_owned(),
        },
        attempts: 1,
    }
}
