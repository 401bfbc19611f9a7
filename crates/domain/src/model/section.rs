//! The one table of sections: every kind of data that a person has on the platform (docs/export.md).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ItemKind, ListResource};

/// A name that is not a section.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is not a section; there are: {}", all_names())]
pub struct SectionError {
    /// What was given.
    pub name: String,
}

fn all_names() -> String {
    Section::ALL.map(Section::name).join(", ")
}

/// Where a section's data came from in the first place (WP242: provided by the person, or observed about them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The person gave or made it.
    Provided,
    /// The platform recorded what the person did.
    Observed,
    /// The platform decided it about the person.
    Platform,
}

/// How a list is read in parts (docs/platform.md#lists).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// `count` and `offset`.
    CountOffset,
    /// `max` and `index`.
    MaxIndex,
    /// No parameters: it comes whole.
    None,
}

/// How a section is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// The user's own document and photo.
    Profile,
    /// Things exported as archives by the platform.
    Items(ItemKind),
    /// Cloud accounts with their certificates.
    CloudAccounts,
    /// One list, kept as sent.
    List(ListResource),
    /// The comments of each workspace and of its shared templates.
    WorkspaceComments,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct SectionInfo {
    /// Its name in selections, folders and reports.
    pub name: &'static str,
    /// A heading for people.
    pub title: &'static str,
    /// What one of its objects is called.
    pub one: &'static str,
    /// What several of its objects are called.
    pub many: &'static str,
    /// How it is fetched.
    pub kind: SectionKind,
    /// Provided, observed or the platform's.
    pub basis: Basis,
    /// One plain sentence.
    pub about: &'static str,
    /// The entitlement that the platform asks for, where it asks for one.
    pub entitlement: Option<&'static str>,
}

macro_rules! sections {
    ($($section:ident { $name:literal, $title:literal, $one:literal, $many:literal, $kind:expr, $basis:ident, $entitlement:expr, $about:literal })+) => {
        /// A kind of data that a person has on the platform.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is described by its row of the table")]
        pub enum Section {
            $($section,)+
        }

        impl Section {
            /// Every section, in the order of the bag and of the report.
            pub const ALL: [Self; [$(Self::$section),+].len()] = [$(Self::$section),+];

            /// The section's row.
            pub fn info(self) -> SectionInfo {
                match self {
                    $(Self::$section => SectionInfo {
                        name: $name,
                        title: $title,
                        one: $one,
                        many: $many,
                        kind: $kind,
                        basis: Basis::$basis,
                        about: $about,
                        entitlement: $entitlement,
                    },)+
                }
            }
        }
    };
}

sections! {
    Profile { "profile", "Profile", "profile", "profiles", SectionKind::Profile, Provided, None,
        "Your account: name, e-mail address, postal address, preferences and photo." }
    Appliances { "appliances", "Appliances", "appliance", "appliances", SectionKind::Items(ItemKind::Appliance), Provided, Some("appliance_create"),
        "The machine-image templates you designed, each with the archive that another UForge can import." }
    MySoftware { "mysoftware", "My software", "software bundle", "software bundles", SectionKind::Items(ItemKind::MySoftware), Provided, Some("appliance_create"),
        "The software bundles in your library, each with the archive that holds its files." }
    CloudAccounts { "cloud-accounts", "Cloud accounts", "cloud account", "cloud accounts", SectionKind::CloudAccounts, Provided, None,
        "The credentials you stored for cloud providers, with their certificates and keys." }
    ArtifactAccounts { "artifact-accounts", "Artifact accounts", "artifact account", "artifact accounts", SectionKind::List(ListResource::ArtifactAccounts), Provided, Some("cloud_account_access"),
        "The credentials you stored for artifact repositories." }
    ApiKeys { "api-keys", "API keys", "API key", "API keys", SectionKind::List(ListResource::ApiKeys), Provided, Some("api_key_access"),
        "The key pairs with which programs act in your name." }
    SshKeys { "ssh-keys", "SSH keys", "SSH key", "SSH keys", SectionKind::List(ListResource::SshKeys), Provided, None,
        "The public SSH keys you stored for your machines." }
    Workspaces { "workspaces", "Workspaces", "workspace", "workspaces", SectionKind::List(ListResource::Workspaces), Provided, Some("appliance_create"),
        "The workspaces in which you share templates with others." }
    WorkspaceComments { "workspace-comments", "Workspace comments", "comment", "comments", SectionKind::WorkspaceComments, Provided, Some("appliance_create"),
        "What you wrote in workspaces; the words of other people are left out." }
    Organizations { "organizations", "Organizations", "organization", "organizations", SectionKind::List(ListResource::Orgs), Platform, None,
        "The organizations your account belongs to." }
    Roles { "roles", "Roles", "role", "roles", SectionKind::List(ListResource::Roles), Platform, None,
        "The roles and entitlements that administrators gave to your account." }
    Quotas { "quotas", "Quotas", "quota", "quotas", SectionKind::List(ListResource::Quotas), Platform, None,
        "The limits set for your account and how much of each is used." }
    Usage { "usage", "Usage", "usage record", "usage records", SectionKind::List(ListResource::Usage), Observed, None,
        "What the platform counted of your use: generations, publications and their times." }
    Statistics { "statistics", "Statistics", "statistic", "statistics", SectionKind::List(ListResource::Stats), Observed, None,
        "Figures that the platform keeps about your account." }
    Activities { "activities", "Activities", "activity", "activities", SectionKind::List(ListResource::Activities), Observed, Some("user_administrate"),
        "The log of what was done with your account, and when." }
    Images { "images", "Machine images", "machine image record", "machine image records", SectionKind::List(ListResource::Images), Observed, Some("image_generate"),
        "Records of the machine images you generated; the images themselves are not personal data." }
    PublishedImages { "published-images", "Published images", "published image record", "published image records", SectionKind::List(ListResource::PublishedImages), Observed, Some("image_generate"),
        "Records of the machine images you published to clouds." }
    Imports { "imports", "Imports", "import record", "import records", SectionKind::List(ListResource::Imports), Observed, Some("appliance_create"),
        "Records of the templates you imported." }
    Exports { "exports", "Exports", "export record", "export records", SectionKind::List(ListResource::Exports), Observed, Some("appliance_create"),
        "Records of the template exports that lie on the platform." }
    Scans { "scans", "Scans", "scan record", "scan records", SectionKind::List(ListResource::Scans), Observed, Some("migration_access"),
        "Records of the scans made of your machines." }
    ScannedInstances { "scanned-instances", "Scanned instances", "scanned instance", "scanned instances", SectionKind::List(ListResource::ScannedInstances), Observed, Some("migration_access"),
        "The machines you had scanned." }
    Migrations { "migrations", "Migrations", "migration record", "migration records", SectionKind::List(ListResource::Migrations), Observed, Some("migration_access"),
        "Records of the migrations you ran." }
    Deployments { "deployments", "Deployments", "deployment record", "deployment records", SectionKind::List(ListResource::Deployments), Observed, Some("deployments_access"),
        "Records of what you deployed." }
    Blueprints { "blueprints", "Blueprints", "blueprint", "blueprints", SectionKind::List(ListResource::Blueprints), Provided, Some("deployments_access"),
        "The deployment blueprints you designed." }
}

impl Section {
    /// Its name in selections, folders and reports.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Whether the bag is incomplete without it (docs/export.md).
    pub fn is_core(self) -> bool {
        matches!(
            self,
            Self::Profile | Self::Appliances | Self::MySoftware | Self::CloudAccounts
        )
    }

    /// The section of things of this kind.
    pub fn of_items(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Appliance => Self::Appliances,
            ItemKind::MySoftware => Self::MySoftware,
        }
    }

    /// How its list is read in parts.
    pub fn paging(self) -> Paging {
        match self {
            Self::Appliances
            | Self::MySoftware
            | Self::CloudAccounts
            | Self::ArtifactAccounts
            | Self::Usage
            | Self::Imports
            | Self::Exports
            | Self::Migrations
            | Self::Blueprints
            | Self::WorkspaceComments => Paging::CountOffset,
            Self::Scans | Self::ScannedInstances => Paging::MaxIndex,
            Self::Profile
            | Self::ApiKeys
            | Self::SshKeys
            | Self::Workspaces
            | Self::Organizations
            | Self::Roles
            | Self::Quotas
            | Self::Statistics
            | Self::Activities
            | Self::Images
            | Self::PublishedImages
            | Self::Deployments => Paging::None,
        }
    }
}

impl FromStr for Section {
    type Err = SectionError;
    fn from_str(name: &str) -> Result<Self, SectionError> {
        Self::ALL
            .into_iter()
            .find(|section| section.name() == name)
            .ok_or_else(|| SectionError {
                name: name.to_owned(),
            })
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Section {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_section_and_no_other() {
        for section in Section::ALL {
            assert_eq!(section.name().parse(), Ok(section));
        }
        let error = "appliance".parse::<Section>().unwrap_err().to_string();
        assert!(
            error.contains("cloud-accounts, artifact-accounts"),
            "{error}"
        );
    }

    #[test]
    fn four_sections_are_the_core() {
        assert_eq!(Section::ALL.into_iter().filter(|s| s.is_core()).count(), 4);
    }
}
