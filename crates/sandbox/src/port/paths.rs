//! Where the platform keeps what the domain names.

use domain::model::{
    BinaryRef, ItemKind, ItemRef, ListResource, OutputFormat, Page, PartRef, Resource, Ticket,
};

use crate::platform::Paging;
use crate::platform::paging_of;

/// A path, whose user is still to be named, and a query.
pub(super) struct Address {
    place: Place,
    path: Vec<String>,
    pub(super) query: String,
}

enum Place {
    Root,
    User,
}

fn user<const N: usize>(path: [&str; N]) -> Address {
    Address {
        place: Place::User,
        path: path.map(str::to_owned).into(),
        query: String::new(),
    }
}

impl Address {
    /// The segments of the path, for the user of this login.
    pub(super) fn segments(&self, login: &str) -> Vec<String> {
        let mut segments = match self.place {
            Place::Root => Vec::new(),
            Place::User => vec!["users".to_owned(), login.to_owned()],
        };
        segments.extend_from_slice(&self.path);
        segments
    }

    pub(super) fn status() -> Self {
        Self {
            place: Place::Root,
            ..user(["status"])
        }
    }

    pub(super) fn statuses(query: String) -> Self {
        Self {
            query,
            ..user(["exports", "statuses"])
        }
    }

    /// `imports` or `bundleimports`, with what lies below.
    pub(super) fn imports(kind: ItemKind, below: &[String], query: String) -> Self {
        let list = match kind {
            ItemKind::Appliance => "imports",
            ItemKind::MySoftware => "bundleimports",
        };
        let mut address = Self {
            query,
            ..user([list])
        };
        address.path.extend_from_slice(below);
        address
    }

    pub(super) fn of(what: Resource) -> Self {
        match what {
            Resource::User => user([]),
            Resource::List(list, page) => {
                let path = path_of(list);
                Self {
                    query: limits(paging_of(path), page),
                    ..user([path])
                }
            }
            Resource::Item(item) => user([items(item.kind), &item.id.to_string()]),
            Resource::CloudAccount(id) => user(["accounts", &id.to_string()]),
            Resource::WorkspaceTemplates { org, workspace } => {
                workspace_path(org.get(), workspace.get(), &["templates"])
            }
            Resource::WorkspaceComments {
                org,
                workspace,
                page,
            } => Self {
                query: limits(Paging::CountAndOffset, page),
                ..workspace_path(org.get(), workspace.get(), &["comments"])
            },
            Resource::TemplateComments {
                org,
                workspace,
                template,
                page,
            } => Self {
                query: limits(Paging::CountAndOffset, page),
                ..workspace_path(
                    org.get(),
                    workspace.get(),
                    &["templates", &template.to_string(), "comments"],
                )
            },
            Resource::Part(part, page) => Self {
                query: if part.kind().has_pages() {
                    limits(Paging::CountAndOffset, page)
                } else {
                    String::new()
                },
                ..part_path(part)
            },
        }
    }

    pub(super) fn of_binary(what: BinaryRef) -> Self {
        match what {
            BinaryRef::Photo(id) => user(["photo", &id.to_string()]),
            BinaryRef::Logo(item, id) => user([
                items(item.kind),
                &item.id.to_string(),
                "logo",
                &id.to_string(),
            ]),
            BinaryRef::Certificate {
                account,
                certificate,
            } => user([
                "accounts",
                &account.to_string(),
                "certs",
                &certificate.to_string(),
            ]),
            BinaryRef::Part(part) => part_path(part),
        }
    }

    pub(super) fn exports(item: ItemRef, format: OutputFormat) -> Self {
        let query = format!("outputFormat={}", format.as_str());
        Self {
            query,
            ..user([items(item.kind), &item.id.to_string(), "exports"])
        }
    }

    pub(super) fn ticket(ticket: Ticket, below: &[&str]) -> Self {
        let Ticket { item, id } = ticket;
        let mut address = user([
            items(item.kind),
            &item.id.to_string(),
            "exports",
            &id.to_string(),
        ]);
        address
            .path
            .extend(below.iter().map(|segment| (*segment).to_owned()));
        address
    }
}

fn workspace_path(org: i64, workspace: i64, below: &[&str]) -> Address {
    let mut address = user([
        "orgs",
        &org.to_string(),
        "workspaces",
        &workspace.to_string(),
    ]);
    address.place = Place::Root;
    address
        .path
        .extend(below.iter().map(|segment| (*segment).to_owned()));
    address
}

fn part_path(part: PartRef) -> Address {
    let item = part.item();
    let mut address = user([items(item.kind), &item.id.to_string()]);
    address.path.extend(part.segments());
    address
}

fn items(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Appliance => "appliances",
        ItemKind::MySoftware => "mysoftware",
    }
}

fn limits(paging: Paging, page: Page) -> String {
    match (page, paging) {
        (Page::Whole, _) | (_, Paging::None) => String::new(),
        (Page::From { offset, count }, Paging::CountAndOffset) => {
            format!("count={count}&offset={offset}")
        }
        (Page::From { offset, count }, Paging::IndexAndMax) => {
            format!("max={count}&index={offset}")
        }
    }
}

fn path_of(list: ListResource) -> &'static str {
    match list {
        ListResource::Appliances => "appliances",
        ListResource::MySoftware => "mysoftware",
        ListResource::Accounts => "accounts",
        ListResource::ArtifactAccounts => "artifactaccounts",
        ListResource::ApiKeys => "apikeys",
        ListResource::SshKeys => "sshkeys",
        ListResource::Workspaces => "workspaces",
        ListResource::Orgs => "orgs",
        ListResource::Roles => "roles",
        ListResource::Quotas => "quotas",
        ListResource::Usage => "usage",
        ListResource::Stats => "stats",
        ListResource::Activities => "activities",
        ListResource::Images => "images",
        ListResource::PublishedImages => "pimages",
        ListResource::Imports => "imports",
        ListResource::Exports => "exports",
        ListResource::Scans => "scans",
        ListResource::ScannedInstances => "scannedinstances",
        ListResource::Migrations => "migrations",
        ListResource::Deployments => "deployments",
        ListResource::Blueprints => "blueprints",
    }
}
