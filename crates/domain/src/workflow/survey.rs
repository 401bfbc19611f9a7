//! Everything that is not an item's archive: lists, documents, photos, logos, certificates, comments.
//!
//! A set of tasks, some of which make further ones: a list leads to its objects, an object to its files. Each task awaits and
//! changes nothing; what it brought is entered into the ledger between awaits.

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::Limits;
use super::fetch::{Brought, Fetch, FileLoss};
use super::ledger::{Ledger, Place};
use super::pages::{BroughtList, KeptPage};
use super::patience::Failed;
use super::run::RunError;
use crate::bag::layout;
use crate::model::{
    BagPath, BinaryRef, Facts, ItemRef, ListResource, ObjectFacts, ObjectId, Page, Resource,
    Secrets, Section, SectionKind, UploadFacts, UploadRole,
};
use crate::ports::{ApiError, Event, Receipt};
use crate::report::{ItemStatus, Stage};

/// One thing to fetch.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// A section's list, or the profile.
    Section(Section),
    /// An object's own document.
    Object(Place, Resource, BagPath),
    /// A file of an object.
    File(Place, BinaryRef, UploadFacts, BagPath),
    /// The workspaces whose comments are wanted.
    WorkspacesForComments,
    /// The shared templates of a workspace.
    Templates {
        org: ObjectId,
        workspace: ObjectId,
        folder: BagPath,
    },
    /// The comments of a workspace or of a shared template.
    Comments(Thread),
}

/// Where comments are kept.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    org: ObjectId,
    workspace: ObjectId,
    template: Option<(ObjectId, String)>,
    folder: BagPath,
}

impl Task {
    /// The task that reads a section.
    pub(crate) fn of_section(section: Section) -> Self {
        match section {
            Section::WorkspaceComments => Self::WorkspacesForComments,
            other => Self::Section(other),
        }
    }

    /// Whether it finds out what there is, rather than fetching what was found.
    pub(crate) fn lists_something(&self) -> bool {
        match self {
            Self::Section(_)
            | Self::WorkspacesForComments
            | Self::Templates { .. }
            | Self::Comments(_) => true,
            Self::Object(..) | Self::File(..) => false,
        }
    }
}

impl Thread {
    fn resource(&self, page: Page) -> Resource {
        let (org, workspace) = (self.org, self.workspace);
        match &self.template {
            None => Resource::WorkspaceComments {
                org,
                workspace,
                page,
            },
            Some((template, _)) => Resource::TemplateComments {
                org,
                workspace,
                template: *template,
                page,
            },
        }
    }
}

enum Found {
    List(Section, Resource, Result<BroughtList, Failed>),
    Profile(Result<Brought, Failed>),
    Object(Place, BagPath, Result<Brought, Failed>),
    File(Place, String, Result<Receipt, FileLoss>),
    Workspaces(Result<Facts, Failed>),
    Templates {
        org: ObjectId,
        workspace: ObjectId,
        folder: BagPath,
        found: Result<Facts, Failed>,
    },
    Comments(Resource, Result<BroughtList, Failed>),
}

/// Runs tasks, and the tasks that follow from them, a few at a time.
pub(crate) async fn survey(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    tasks: Vec<Task>,
) -> Result<(), RunError> {
    let mut tasks = tasks;
    while !tasks.is_empty() {
        tasks = survey_once(fetch, ledger, tasks).await?;
    }
    Ok(())
}

/// Runs tasks, and gives back those that follow from them.
pub(crate) async fn survey_once(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    tasks: Vec<Task>,
) -> Result<Vec<Task>, RunError> {
    let mut following = Vec::new();
    let mut waiting: VecDeque<Task> = tasks.into();
    let mut under_way: FuturesUnordered<BoxFuture<'_, Result<Found, RunError>>> =
        FuturesUnordered::new();
    loop {
        while under_way.len() < Limits::DOCUMENTS_AT_ONCE
            && let Some(task) = waiting.pop_front()
        {
            under_way.push(Box::pin(perform(fetch, task)));
        }
        let Some(found) = under_way.next().await else {
            return Ok(following);
        };
        following.extend(enter(fetch, ledger, found?));
    }
}

/// Only what ends the run stays an error; what cannot be had is a value.
fn settle<T>(answer: Result<T, Result<Failed, RunError>>) -> Result<Result<T, Failed>, RunError> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(Ok(failed)) => Ok(Err(failed)),
        Err(Err(fatal)) => Err(fatal),
    }
}

async fn perform(fetch: Fetch<'_>, task: Task) -> Result<Found, RunError> {
    match task {
        Task::Section(section) => section_list(fetch, section).await,
        Task::Object(place, resource, folder) => {
            let path = |form| layout::object_document(&folder, place.section, form);
            let answer = settle(fetch.document(place.section, resource, path).await)?;
            Ok(Found::Object(place, folder, answer))
        }
        Task::File(place, binary, facts, folder) => {
            let path = |ending: &str| file_path(&folder, binary, &facts, ending);
            let answer = fetch.file(place.section, binary, &facts, path).await?;
            Ok(Found::File(place, in_words(&facts), answer))
        }
        Task::WorkspacesForComments => {
            // The list itself is kept by the section `workspaces`, where that is wanted.
            let unkept = Fetch {
                sink: None,
                ..fetch
            };
            let resource = Resource::List(ListResource::Workspaces, Page::Whole);
            let path = |form| layout::list_document(Section::Workspaces, 1, form);
            let answer = settle(
                unkept
                    .document(Section::WorkspaceComments, resource, path)
                    .await,
            )?;
            Ok(Found::Workspaces(answer.map(|brought| brought.facts)))
        }
        Task::Templates {
            org,
            workspace,
            folder,
        } => {
            let unkept = Fetch {
                sink: None,
                ..fetch
            };
            let resource = Resource::WorkspaceTemplates { org, workspace };
            let path = |form| layout::list_document(Section::WorkspaceComments, 1, form);
            let answer = settle(
                unkept
                    .document(Section::WorkspaceComments, resource, path)
                    .await,
            )?;
            Ok(Found::Templates {
                org,
                workspace,
                folder,
                found: answer.map(|brought| brought.facts),
            })
        }
        Task::Comments(thread) => {
            let template = thread
                .template
                .as_ref()
                .map(|(id, name)| (*id, name.as_str()));
            let path = |page, form| layout::comments(&thread.folder, template, page, form);
            let answer = fetch
                .list(
                    Section::WorkspaceComments,
                    |page| thread.resource(page),
                    path,
                )
                .await;
            Ok(Found::Comments(
                thread.resource(Page::Whole),
                settle(answer)?,
            ))
        }
    }
}

async fn section_list(fetch: Fetch<'_>, section: Section) -> Result<Found, RunError> {
    let path = |page, form| layout::list_document(section, page, form);
    let Some(list) = list_of(section) else {
        let answer = fetch
            .document(section, Resource::User, |form| path(1, form))
            .await;
        return Ok(Found::Profile(settle(answer)?));
    };
    let answer = fetch
        .list(section, |page| Resource::List(list, page), path)
        .await;
    Ok(Found::List(
        section,
        Resource::List(list, Page::Whole),
        settle(answer)?,
    ))
}

/// The list resource that a section is read from; `None` for the profile and for comments.
pub(crate) fn list_of(section: Section) -> Option<ListResource> {
    match section.info().kind {
        SectionKind::Profile | SectionKind::WorkspaceComments => None,
        SectionKind::Items(crate::model::ItemKind::Appliance) => Some(ListResource::Appliances),
        SectionKind::Items(crate::model::ItemKind::MySoftware) => Some(ListResource::MySoftware),
        SectionKind::CloudAccounts => Some(ListResource::Accounts),
        SectionKind::List(list) => Some(list),
    }
}

fn file_path(folder: &BagPath, binary: BinaryRef, facts: &UploadFacts, ending: &str) -> BagPath {
    match binary {
        BinaryRef::Photo(_) => layout::photo(ending),
        BinaryRef::Logo(..) => layout::logo(folder, ending),
        BinaryRef::Certificate { certificate, .. } => layout::certificate(
            folder,
            certificate,
            facts.name.as_deref().unwrap_or("certificate"),
        ),
    }
}

fn in_words(facts: &UploadFacts) -> String {
    let role = match facts.role {
        UploadRole::Photo => "the photo",
        UploadRole::Logo => "the logo",
        UploadRole::Certificate => "the certificate",
    };
    match &facts.name {
        Some(name) => format!("{role} `{name}`"),
        None => role.to_owned(),
    }
}

/// Enters what was found; the tasks that follow from it.
fn enter(fetch: Fetch<'_>, ledger: &mut Ledger, found: Found) -> Vec<Task> {
    match found {
        Found::List(section, resource, Ok(list)) => {
            enter_list(fetch, ledger, section, resource, list)
        }
        Found::List(section, _, Err(failed)) => refuse(fetch, ledger, section, failed),
        Found::Profile(Ok(brought)) => enter_profile(fetch, ledger, brought),
        Found::Profile(Err(failed)) => refuse(fetch, ledger, Section::Profile, failed),
        Found::Object(place, folder, Ok(brought)) => {
            enter_object(fetch, ledger, place, &folder, brought)
        }
        Found::Object(place, _, Err(failed)) => {
            lose_document(ledger, place, &failed);
            Vec::new()
        }
        Found::File(place, _, Ok(receipt)) => {
            ledger.file(&[place], receipt);
            Vec::new()
        }
        Found::File(place, what, Err(loss)) => {
            let message = format!("{what}: {}", loss.message);
            let failure = ledger.failure_of(
                place,
                Stage::Download,
                loss.http_status,
                message,
                loss.attempts,
            );
            ledger.lose(place, failure, ItemStatus::Failed);
            Vec::new()
        }
        Found::Workspaces(Ok(facts)) => enter_workspaces(ledger, facts),
        Found::Workspaces(Err(failed)) => refuse(fetch, ledger, Section::WorkspaceComments, failed),
        Found::Templates {
            org,
            workspace,
            folder,
            found: Ok(facts),
        } => threads(ledger, org, workspace, &folder, facts),
        Found::Templates {
            found: Err(failed), ..
        }
        | Found::Comments(_, Err(failed)) => refuse_part(ledger, failed),
        Found::Comments(resource, Ok(list)) => {
            enter_list(fetch, ledger, Section::WorkspaceComments, resource, list)
        }
    }
}

fn refuse(fetch: Fetch<'_>, ledger: &mut Ledger, section: Section, failed: Failed) -> Vec<Task> {
    ledger.refuse(section, failed.error, failed.attempts);
    if let Some(refusal) = ledger.book(section).refusal.as_ref() {
        let reason = refusal.reason.clone();
        fetch
            .ports
            .progress
            .on(&Event::SectionUnavailable { section, reason });
    }
    Vec::new()
}

/// One workspace that refuses its comments does not speak for the others.
fn refuse_part(ledger: &mut Ledger, failed: Failed) -> Vec<Task> {
    ledger.refuse(Section::WorkspaceComments, failed.error, failed.attempts);
    Vec::new()
}

fn enter_list(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    section: Section,
    resource: Resource,
    mut list: BroughtList,
) -> Vec<Task> {
    if section == Section::WorkspaceComments {
        // Who wrote them is not told: they may be other people.
        list.objects
            .iter_mut()
            .for_each(|object| object.name = None);
    }
    let first = ledger.book(section).entries.len();
    ledger.enter(section, resource, list.objects, fetch.order);
    file_pages(ledger, section, first, list.pages);
    if let Some(failed) = list.failed {
        ledger.cut(section, failed.error, failed.attempts);
    }
    if let Some(message) = list.shortfall {
        ledger.refuse(
            section,
            ApiError::Unreadable {
                request: format!("the list of {section}"),
                detail: message,
            },
            1,
        );
    }
    let items = ledger.book(section).entries.len() as u64;
    fetch
        .ports
        .progress
        .on(&Event::SectionListed { section, items });
    object_tasks(ledger, section)
}

/// Each page's files are those of the objects on it, counted from the first of this list.
fn file_pages(ledger: &mut Ledger, section: Section, first: usize, pages: Vec<KeptPage>) {
    for page in pages {
        let on_it = page.objects.filter(|_| list_is_all_there_is(section));
        let owners: Vec<Place> = on_it
            .map(|index| Place {
                section,
                index: first + index,
            })
            .collect();
        for receipt in page.receipts {
            ledger.file(&owners, receipt);
        }
    }
}

/// Whether an object's place in the list is its only document.
fn list_is_all_there_is(section: Section) -> bool {
    matches!(
        section.info().kind,
        SectionKind::List(_) | SectionKind::WorkspaceComments
    )
}

fn object_tasks(ledger: &Ledger, section: Section) -> Vec<Task> {
    let fetchable = ledger.fetchable(section).into_iter();
    fetchable
        .filter_map(|(place, id)| {
            Some(Task::Object(
                place,
                resource_of(section, id)?,
                folder_of(ledger, place, id),
            ))
        })
        .collect()
}

/// An object's own document, where it has one beside its place in the list.
pub(crate) fn resource_of(section: Section, id: ObjectId) -> Option<Resource> {
    match section.info().kind {
        SectionKind::Items(kind) => Some(Resource::Item(ItemRef { kind, id })),
        SectionKind::CloudAccounts => Some(Resource::CloudAccount(id)),
        SectionKind::Profile | SectionKind::List(_) | SectionKind::WorkspaceComments => None,
    }
}

/// The folder of an object in the bag.
pub(crate) fn folder_of(ledger: &Ledger, place: Place, id: ObjectId) -> BagPath {
    let entry = ledger
        .read(place.section)
        .and_then(|book| book.entries.get(place.index));
    let name = entry
        .and_then(|entry| entry.facts.name.as_deref())
        .unwrap_or_default();
    layout::object_folder(place.section, id, name)
}

fn enter_profile(fetch: Fetch<'_>, ledger: &mut Ledger, brought: Brought) -> Vec<Task> {
    let place = Place {
        section: Section::Profile,
        index: 0,
    };
    let mut objects = brought.facts.objects;
    objects.truncate(1);
    if objects.is_empty() {
        objects.push(ObjectFacts::default());
    }
    let uploads = objects
        .first()
        .map(|user| user.uploads.clone())
        .unwrap_or_default();
    ledger.enter(Section::Profile, Resource::User, objects, fetch.order);
    brought
        .receipts
        .into_iter()
        .for_each(|receipt| ledger.file(&[place], receipt));
    if let Some(failed) = brought.twin_failed {
        lose_document(ledger, place, &failed);
    }
    fetch.ports.progress.on(&Event::SectionListed {
        section: Section::Profile,
        items: 1,
    });
    let folder = layout::section_folder(Section::Profile);
    file_tasks(fetch, ledger, place, None, &folder, &uploads)
}

fn enter_object(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    place: Place,
    folder: &BagPath,
    brought: Brought,
) -> Vec<Task> {
    brought
        .receipts
        .into_iter()
        .for_each(|receipt| ledger.file(&[place], receipt));
    if let Some(failed) = brought.twin_failed {
        lose_document(ledger, place, &failed);
    }
    let Some(read) = brought.facts.objects.into_iter().next() else {
        return Vec::new();
    };
    let listed = ledger
        .entry(place)
        .map(|entry| entry.facts.clone())
        .unwrap_or_default();
    if read.secrets_missing || listed.secrets_missing {
        let message =
            "the platform does not hold or give out its secrets (`secretsMissing`)".to_owned();
        let failure = ledger.failure_of(place, Stage::Download, None, message, 1);
        ledger.lose(place, failure, ItemStatus::Failed);
    }
    let uploads = if read.uploads.is_empty() {
        listed.uploads
    } else {
        read.uploads
    };
    let owner = listed.id.and_then(|id| ObjectId::try_from(id).ok());
    file_tasks(fetch, ledger, place, owner, folder, &uploads)
}

fn lose_document(ledger: &mut Ledger, place: Place, failed: &Failed) {
    let (status, message) = (failed.error.http_status(), failed.error.to_string());
    let failure = ledger.failure_of(place, Stage::Download, status, message, failed.attempts);
    let gone = matches!(
        failed.error,
        ApiError::NotFound { .. } | ApiError::Forbidden { .. }
    );
    ledger.lose(
        place,
        failure,
        if gone {
            ItemStatus::Unavailable
        } else {
            ItemStatus::Failed
        },
    );
}

fn file_tasks(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    place: Place,
    owner: Option<ObjectId>,
    folder: &BagPath,
    uploads: &[UploadFacts],
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for upload in uploads.iter().filter(|upload| upload.uploaded) {
        if upload.role == UploadRole::Certificate && fetch.order.secrets == Secrets::Redact {
            ledger.notes.push(format!(
                "{} of {} was left out: secrets are redacted",
                in_words(upload),
                place.section
            ));
            continue;
        }
        if let Some(binary) = binary_of(place.section, owner, upload) {
            tasks.push(Task::File(place, binary, upload.clone(), folder.clone()));
        } else {
            let message = format!(
                "{} has no valid id, so it cannot be asked for",
                in_words(upload)
            );
            let failure = ledger.failure_of(place, Stage::Download, None, message, 1);
            ledger.lose(place, failure, ItemStatus::Failed);
        }
    }
    tasks
}

fn binary_of(section: Section, owner: Option<ObjectId>, upload: &UploadFacts) -> Option<BinaryRef> {
    let id = ObjectId::try_from(upload.id?).ok()?;
    match (section.info().kind, upload.role) {
        (SectionKind::Profile, UploadRole::Photo) => Some(BinaryRef::Photo(id)),
        (SectionKind::Items(kind), UploadRole::Logo) => {
            Some(BinaryRef::Logo(ItemRef { kind, id: owner? }, id))
        }
        (SectionKind::CloudAccounts, UploadRole::Certificate) => Some(BinaryRef::Certificate {
            account: owner?,
            certificate: id,
        }),
        _ => None,
    }
}

fn enter_workspaces(ledger: &mut Ledger, facts: Facts) -> Vec<Task> {
    ledger.book(Section::WorkspaceComments).listed = true;
    let mut tasks = Vec::new();
    for workspace in facts.objects {
        let ids = |facts: &ObjectFacts| {
            Some((
                ObjectId::try_from(facts.org?).ok()?,
                ObjectId::try_from(facts.id?).ok()?,
            ))
        };
        let Some((org, id)) = ids(&workspace) else {
            let nameless = workspace.name.as_deref().unwrap_or("without a name");
            refuse_unaddressed(ledger, &format!("the workspace `{nameless}`"));
            continue;
        };
        let name = workspace.name.as_deref().unwrap_or_default();
        let folder = layout::object_folder(Section::WorkspaceComments, id, name);
        tasks.push(Task::Comments(Thread {
            org,
            workspace: id,
            template: None,
            folder: folder.clone(),
        }));
        tasks.push(Task::Templates {
            org,
            workspace: id,
            folder,
        });
    }
    tasks
}

/// What cannot be asked for is missing, and said to be.
fn refuse_unaddressed(ledger: &mut Ledger, what: &str) {
    let error = ApiError::Unreadable {
        request: "the comments".to_owned(),
        detail: format!("{what} is listed without a valid id, so they cannot be asked for"),
    };
    ledger.refuse(Section::WorkspaceComments, error, 1);
}

fn threads(
    ledger: &mut Ledger,
    org: ObjectId,
    workspace: ObjectId,
    folder: &BagPath,
    facts: Facts,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for template in facts.objects {
        let name = template.name.unwrap_or_default();
        let Some(id) = template.id.and_then(|id| ObjectId::try_from(id).ok()) else {
            refuse_unaddressed(ledger, &format!("the shared template `{name}`"));
            continue;
        };
        tasks.push(Task::Comments(Thread {
            org,
            workspace,
            template: Some((id, name)),
            folder: folder.clone(),
        }));
    }
    tasks
}
