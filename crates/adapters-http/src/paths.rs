//! Resources as paths: the only module that knows how a path of the platform is spelled (docs/platform.md).
//!
//! Paths are built from ids; a URI that a server sends is never followed.

use std::fmt::Write as _;

use domain::model::{
    BinaryRef, ImportOptions, ImportTicket, ItemKind, ItemRef, ListResource, ObjectId, OsVersion,
    OutputFormat, Page, PartRef, Resource, Tagging, Ticket, UserId,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One path segment or one query value.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A path and a query relative to the base, without credentials, percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    path: String,
    query: String,
}

impl Address {
    fn of(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            query: String::new(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        // Writing to a `String` cannot fail.
        let _ = write!(self.query, "{name}={}", percent_encode(value));
        self
    }

    fn page(self, page: Page, count: &str, offset: &str) -> Self {
        match page {
            Page::Whole => self,
            Page::From {
                offset: from,
                count: objects,
            } => self
                .with(count, &objects.to_string())
                .with(offset, &from.to_string()),
        }
    }

    /// `GET status`: needs no credentials.
    pub(crate) fn status() -> Self {
        Self::of("status")
    }

    /// `GET users`: for administrators.
    pub(crate) fn users(offset: u64, count: u64) -> Self {
        let page = Page::From { offset, count };
        Self::of("users").page(page, "count", "offset")
    }

    /// `GET orgs/{oid}/members`.
    pub(crate) fn members(org: ObjectId) -> Self {
        Self::of(format!("orgs/{org}/members"))
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Path and query.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// The paths of one user.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    user: String,
}

impl Paths {
    /// `None` for `.` and `..`: every URL library takes those for a step up, however they are encoded (WHATWG URL §4.4).
    pub(crate) fn of(user: &UserId) -> Option<Self> {
        if matches!(user.as_str(), "." | "..") {
            return None;
        }
        Some(Self {
            user: format!("users/{}", percent_encode(user.as_str())),
        })
    }

    pub(crate) fn resource(&self, what: Resource) -> Address {
        let user = &self.user;
        match what {
            Resource::User => Address::of(user),
            Resource::List(list, page) => self.list(list, page),
            Resource::Item(item) => Address::of(self.item(item)),
            Resource::CloudAccount(id) => Address::of(format!("{user}/accounts/{id}")),
            Resource::WorkspaceTemplates { org, workspace } => {
                Address::of(format!("orgs/{org}/workspaces/{workspace}/templates"))
            }
            Resource::WorkspaceComments {
                org,
                workspace,
                page,
            } => Address::of(format!("orgs/{org}/workspaces/{workspace}/comments"))
                .page(page, "count", "offset"),
            Resource::TemplateComments {
                org,
                workspace,
                template,
                page,
            } => Address::of(format!(
                "orgs/{org}/workspaces/{workspace}/templates/{template}/comments"
            ))
            .page(page, "count", "offset"),
            Resource::Part(part, page) => {
                Address::of(self.part(part)).page(page, "count", "offset")
            }
        }
    }

    fn list(&self, list: ListResource, page: Page) -> Address {
        let address = Address::of(format!("{}/{}", self.user, list.name()));
        match list {
            ListResource::Scans | ListResource::ScannedInstances => {
                address.page(page, "max", "index")
            }
            _ => address.page(page, "count", "offset"),
        }
    }

    pub(crate) fn binary(&self, what: BinaryRef) -> Address {
        let user = &self.user;
        Address::of(match what {
            BinaryRef::Photo(photo) => format!("{user}/photo/{photo}"),
            BinaryRef::Logo(item, logo) => format!("{}/logo/{logo}", self.item(item)),
            BinaryRef::Certificate {
                account,
                certificate,
            } => format!("{user}/accounts/{account}/certs/{certificate}"),
            BinaryRef::Part(part) => self.part(part),
        })
    }

    /// Where an export is asked for.
    pub(crate) fn exports(&self, item: ItemRef, format: OutputFormat) -> Address {
        Address::of(format!("{}/exports", self.item(item))).with("outputFormat", format.as_str())
    }

    pub(crate) fn ticket(&self, ticket: Ticket) -> Address {
        Address::of(self.ticket_path(ticket))
    }

    pub(crate) fn ticket_status(&self, ticket: Ticket) -> Address {
        Address::of(format!("{}/status", self.ticket_path(ticket)))
    }

    pub(crate) fn archive(&self, ticket: Ticket) -> Address {
        Address::of(format!("{}/downloads", self.ticket_path(ticket)))
    }

    /// The statuses of these tickets, each named by its URI.
    pub(crate) fn statuses(&self, tickets: &[Ticket]) -> Address {
        tickets.iter().fold(
            Address::of(format!("{}/exports/statuses", self.user)),
            |address, ticket| address.with("ae", &self.ticket_path(*ticket)),
        )
    }

    /// Where an import is asked for. An appliance carries software that may just have been imported: it is used again.
    pub(crate) fn imports(&self, kind: ItemKind, options: ImportOptions) -> Address {
        let flag = |is_set: bool| if is_set { "true" } else { "false" };
        let address = Address::of(self.import_list(kind))
            .with("imported", flag(options.tagging == Tagging::Imported));
        match kind {
            ItemKind::MySoftware => address,
            ItemKind::Appliance => address
                .with("force", flag(options.overwrite))
                .with("reuseBundles", flag(true))
                .with("useMajor", flag(options.os_version == OsVersion::Major)),
        }
    }

    pub(crate) fn import(&self, ticket: ImportTicket) -> Address {
        Address::of(self.import_path(ticket))
    }

    pub(crate) fn import_upload(&self, ticket: ImportTicket) -> Address {
        Address::of(format!("{}/uploads", self.import_path(ticket)))
    }

    pub(crate) fn import_status(&self, ticket: ImportTicket) -> Address {
        Address::of(format!("{}/status", self.import_path(ticket)))
    }

    fn import_list(&self, kind: ItemKind) -> String {
        let list = match kind {
            ItemKind::Appliance => "imports",
            ItemKind::MySoftware => "bundleimports",
        };
        format!("{}/{list}", self.user)
    }

    fn import_path(&self, ticket: ImportTicket) -> String {
        format!("{}/{}", self.import_list(ticket.kind), ticket.id)
    }

    fn item(&self, item: ItemRef) -> String {
        let list = match item.kind {
            ItemKind::Appliance => "appliances",
            ItemKind::MySoftware => "mysoftware",
        };
        format!("{}/{list}/{}", self.user, item.id)
    }

    fn part(&self, part: PartRef) -> String {
        let below: Vec<String> = part
            .segments()
            .iter()
            .map(|segment| percent_encode(segment))
            .collect();
        format!("{}/{}", self.item(part.item()), below.join("/"))
    }

    fn ticket_path(&self, ticket: Ticket) -> String {
        format!("{}/exports/{}", self.item(ticket.item), ticket.id)
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
