//! What can be asked of the platform, by meaning. How a path is spelled is the HTTP adapter's knowledge alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ItemRef, ObjectId, PartRef};

/// The list resources of one user, `users/{uid}/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the resource of its name")]
pub enum ListResource {
    Appliances,
    MySoftware,
    Accounts,
    ArtifactAccounts,
    ApiKeys,
    SshKeys,
    Workspaces,
    Orgs,
    Roles,
    Quotas,
    Usage,
    Stats,
    Activities,
    Images,
    PublishedImages,
    Imports,
    Exports,
    Scans,
    ScannedInstances,
    Migrations,
    Deployments,
    Blueprints,
}

impl ListResource {
    /// The last part of the list's path, as in `users/{uid}/appliances`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appliances => "appliances",
            Self::MySoftware => "mysoftware",
            Self::Accounts => "accounts",
            Self::ArtifactAccounts => "artifactaccounts",
            Self::ApiKeys => "apikeys",
            Self::SshKeys => "sshkeys",
            Self::Workspaces => "workspaces",
            Self::Orgs => "orgs",
            Self::Roles => "roles",
            Self::Quotas => "quotas",
            Self::Usage => "usage",
            Self::Stats => "stats",
            Self::Activities => "activities",
            Self::Images => "images",
            Self::PublishedImages => "pimages",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::Scans => "scans",
            Self::ScannedInstances => "scannedinstances",
            Self::Migrations => "migrations",
            Self::Deployments => "deployments",
            Self::Blueprints => "blueprints",
        }
    }
}

/// Which part of a list is asked for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Page {
    /// No limit is sent: all that the platform gives at once.
    #[default]
    Whole,
    /// `count` objects from `offset` (`max` and `index` where the platform calls them so).
    From {
        /// Objects to skip.
        offset: u64,
        /// Objects wanted.
        count: u64,
    },
}

/// One document of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Resource {
    /// `users/{uid}`.
    User,
    /// `users/{uid}/{list}`.
    List(ListResource, Page),
    /// `users/{uid}/appliances/{id}` or `users/{uid}/mysoftware/{id}`.
    Item(ItemRef),
    /// `users/{uid}/accounts/{caid}`.
    CloudAccount(ObjectId),
    /// `orgs/{oid}/workspaces/{wid}/templates`: read for its ids only.
    WorkspaceTemplates {
        /// The organization.
        org: ObjectId,
        /// The workspace.
        workspace: ObjectId,
    },
    /// `orgs/{oid}/workspaces/{wid}/comments`.
    WorkspaceComments {
        /// The organization.
        org: ObjectId,
        /// The workspace.
        workspace: ObjectId,
        /// Which comments.
        page: Page,
    },
    /// `orgs/{oid}/workspaces/{wid}/templates/{tid}/comments`.
    TemplateComments {
        /// The organization.
        org: ObjectId,
        /// The workspace.
        workspace: ObjectId,
        /// The shared template.
        template: ObjectId,
        /// Which comments.
        page: Page,
    },
    /// A document below an item, or one page of it.
    Part(PartRef, Page),
}

/// One file that the platform keeps for an object (schema type `UForgeUploadObject`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BinaryRef {
    /// `users/{uid}/photo/{photoId}`.
    Photo(ObjectId),
    /// `…/{item}/logo/{logoId}`.
    Logo(ItemRef, ObjectId),
    /// `users/{uid}/accounts/{caid}/certs/{certid}`.
    Certificate {
        /// The cloud account.
        account: ObjectId,
        /// The certificate.
        certificate: ObjectId,
    },
    /// A file below an item: a boot script, a software file, a licence.
    Part(PartRef),
}

/// The form in which a document is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Representation {
    /// `application/xml`, the schema's own form; facts are read from it.
    Xml,
    /// `application/json`.
    Json,
}

impl Representation {
    /// The ending of files that hold it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Json => "json",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for Representation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ending())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("the profile"),
            Self::List(list, _) => write!(f, "the list of {}", list.name()),
            Self::Item(item) => write!(f, "{item}"),
            Self::CloudAccount(id) => write!(f, "cloud account {id}"),
            Self::WorkspaceTemplates { workspace, .. } => {
                write!(f, "the templates of workspace {workspace}")
            }
            Self::WorkspaceComments { workspace, .. } => {
                write!(f, "the comments of workspace {workspace}")
            }
            Self::TemplateComments { template, .. } => {
                write!(f, "the comments of shared template {template}")
            }
            Self::Part(part, _) => write!(f, "{part}"),
        }
    }
}
