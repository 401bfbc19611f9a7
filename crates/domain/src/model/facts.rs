//! What the workflow needs to know of a document, read from its bytes at the border and never written back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What kind of file an object carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadRole {
    /// A user's photo.
    Photo,
    /// The logo of an appliance or of a software bundle.
    Logo,
    /// A certificate or key file of a cloud account.
    Certificate,
    /// A file below an item: a boot script, a software file, a licence.
    Part,
}

/// A file that the platform keeps for an object (schema type `UForgeUploadObject`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadFacts {
    /// What it is.
    pub role: UploadRole,
    /// Its `dbId`, as sent: may be missing, zero or negative on a broken platform.
    pub id: Option<i64>,
    /// Its `name`.
    pub name: Option<String>,
    /// `uploaded`: only then there is something to download.
    pub uploaded: bool,
    /// `size` in bytes, where published.
    pub size: Option<u64>,
    /// `sha256sum`, as sent.
    pub sha256: Option<String>,
    /// `md5sum`, as sent.
    pub md5: Option<String>,
    /// `mimeType`.
    pub media_type: Option<String>,
}

/// How the document of an appliance names a software bundle of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BundleReference {
    /// Whose bundle, as its address says. `None` where no address says it: then it is the appliance's user's.
    pub owner: Option<String>,
    /// Its `dbId`; `None` where it is not clear which bundle is meant.
    pub id: Option<i64>,
}

/// What is known of one object. Every field is optional in the schema, so every field is optional here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFacts {
    /// `dbId` (`applicationId` of a deployment), as sent.
    pub id: Option<i64>,
    /// `name` (`loginName` of a user, `applianceName` of tickets …), cut after 1,000 characters.
    pub name: Option<String>,
    /// `loginName` of a user, and nothing else: who somebody is. Never their displayed name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// `version`.
    pub version: Option<String>,
    /// `uri`, as sent; never followed.
    pub uri: Option<String>,
    /// `digest`.
    pub digest: Option<String>,
    /// `lastModified`, as sent.
    pub last_modified: Option<String>,
    /// The local name of `xsi:type`, for example `CredAccountAws`.
    pub kind: Option<String>,
    /// Size in bytes where the platform says one (`size`, `installedSize`).
    pub size: Option<u64>,
    /// `secretsMissing` of a `credAccount`.
    pub secrets_missing: bool,
    /// The organization that a workspace belongs to, read from its `orgUri`.
    pub org: Option<i64>,
    /// Photo, logo and certificates.
    pub uploads: Vec<UploadFacts>,
    /// The software bundles that an appliance's own document refers to; `None` of everything else, and in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundles: Option<BTreeSet<BundleReference>>,
    /// `uploaded` of an object that is a file itself (a boot script, a software artifact), where sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<bool>,
    /// The objects in it that have addresses below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<InnerFacts>,
}

/// What an object in another one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InnerRole {
    /// The install profile of an appliance.
    InstallProfile,
    /// The operating system profile of an appliance.
    OsProfile,
    /// The package of the platform's studio in an appliance.
    StudioPackage,
    /// The licence of a bundle or of a studio package.
    License,
    /// The partition table of an install profile.
    PartitionTable,
    /// A software artifact in another one.
    Artifact,
}

/// An object in another one, that has an address below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InnerFacts {
    /// What it is.
    pub role: InnerRole,
    /// Its `dbId`, as sent.
    pub id: i64,
    /// Its `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `size` in bytes, where published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// `uploaded`, where sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<bool>,
}

/// What is known of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The object of a single document, the objects of a list.
    pub objects: Vec<ObjectFacts>,
    /// `total` of a list, where sent.
    pub total: Option<u64>,
}
