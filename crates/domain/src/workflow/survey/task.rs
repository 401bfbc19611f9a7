//! What a survey asks for, and what it was answered.

use crate::model::{
    BagPath, BinaryRef, Facts, ItemKind, ItemRef, ListResource, ObjectId, Page, Resource, Section,
    SectionKind, UploadFacts,
};
use crate::ports::Receipt;
use crate::workflow::attempt::Failed;
use crate::workflow::fetch::{Fetched, FileFailure};
use crate::workflow::ledger::Place;
use crate::workflow::pages::FetchedList;

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
    pub(super) org: ObjectId,
    pub(super) workspace: ObjectId,
    pub(super) template: Option<(ObjectId, String)>,
    pub(super) folder: BagPath,
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
    pub(super) fn resource(&self, page: Page) -> Resource {
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

/// What came of a task.
pub(super) enum Found {
    List(Section, Resource, Result<FetchedList, Failed>),
    Profile(Result<Fetched, Failed>),
    Object(Place, BagPath, Result<Fetched, Failed>),
    File(Place, String, Result<Receipt, FileFailure>),
    Workspaces(Result<Facts, Failed>),
    Templates {
        org: ObjectId,
        workspace: ObjectId,
        folder: BagPath,
        found: Result<Facts, Failed>,
    },
    Comments(Resource, Result<FetchedList, Failed>),
}

/// The list resource that a section is read from; `None` for the profile and for comments.
pub(crate) fn list_of(section: Section) -> Option<ListResource> {
    match section.info().kind {
        SectionKind::Profile | SectionKind::WorkspaceComments => None,
        SectionKind::Items(ItemKind::Appliance) => Some(ListResource::Appliances),
        SectionKind::Items(ItemKind::MySoftware) => Some(ListResource::MySoftware),
        SectionKind::CloudAccounts => Some(ListResource::Accounts),
        SectionKind::List(list) => Some(list),
    }
}

/// An object's own document, where it has one beside its place in the list.
pub(crate) fn resource_of(section: Section, id: ObjectId) -> Option<Resource> {
    match section.info().kind {
        SectionKind::Items(kind) => Some(Resource::Item(ItemRef { kind, id })),
        SectionKind::CloudAccounts => Some(Resource::CloudAccount(id)),
        SectionKind::Profile | SectionKind::List(_) | SectionKind::WorkspaceComments => None,
    }
}
