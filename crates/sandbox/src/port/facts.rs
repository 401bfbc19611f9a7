//! What the domain wants to know of a document, taken from the tree itself: nothing is rendered and read again.

use std::collections::BTreeSet;

use domain::model::{
    BundleReference, Facts, InnerFacts, InnerRole, ListResource, ObjectFacts, Resource,
    UploadFacts, UploadRole,
};
use domain::ports::ExportStatus;

use crate::document::Element;

/// The value of a leaf that is not empty.
pub(super) fn text(element: &Element, name: &str) -> Option<String> {
    let value = element.child(name)?.value()?;
    (!value.is_empty()).then(|| value.into_owned())
}

fn holds(element: &Element, name: &str) -> bool {
    text(element, name).as_deref() == Some("true")
}

fn size(element: &Element, name: &str) -> Option<u64> {
    element
        .child_number(name)
        .and_then(|size| u64::try_from(size).ok())
}

/// The facts of the document of `what`.
pub(super) fn of(root: &Element, what: Resource) -> Facts {
    match what {
        Resource::User | Resource::Item(_) | Resource::CloudAccount(_) => {
            let mut object = object(root);
            object.bundles = (root.name() == "appliance").then(|| bundles(root));
            Facts {
                objects: vec![object],
                total: None,
            }
        }
        Resource::Part(..) if root.child_number("dbId").is_some() => Facts {
            objects: vec![object(root)],
            total: None,
        },
        // The schema does not know these.
        Resource::List(ListResource::Activities, _) => Facts::default(),
        Resource::List(..)
        | Resource::WorkspaceTemplates { .. }
        | Resource::WorkspaceComments { .. }
        | Resource::TemplateComments { .. }
        | Resource::Part(..) => {
            let wrapper = root
                .children()
                .last()
                .map(Element::children)
                .unwrap_or_default();
            Facts {
                objects: wrapper.iter().map(object).collect(),
                total: size(root, "total"),
            }
        }
    }
}

fn object(element: &Element) -> ObjectFacts {
    let first = |names: &[&str]| names.iter().find_map(|name| text(element, name));
    let named = if element.name() == "user" {
        first(&["loginName"])
    } else {
        first(&["name", "applianceName", "bundleName", "loginName"])
    };
    let application = || text(element, "applicationId").and_then(|id| id.parse().ok());
    let org = text(element, "orgUri").and_then(|uri| uri.rsplit('/').next()?.parse().ok());
    ObjectFacts {
        id: element.child_number("dbId").or_else(application),
        name: named.map(|name| name.chars().take(1000).collect()),
        login: (element.name() == "user")
            .then(|| text(element, "loginName"))
            .flatten(),
        version: first(&["version", "applianceVersion", "bundleVersion"]),
        uri: text(element, "uri"),
        digest: text(element, "digest"),
        last_modified: text(element, "lastModified"),
        kind: element.concrete_type().map(str::to_owned),
        size: size(element, "size").or_else(|| size(element, "installedSize")),
        secrets_missing: holds(element, "secretsMissing"),
        org,
        uploads: uploads(element),
        uploaded: matches!(element.name(), "bootScript" | "softwareArtifact")
            .then(|| {
                element
                    .child("uploaded")
                    .map(|_| holds(element, "uploaded"))
            })
            .flatten(),
        inner: inner(element),
        bundles: None,
    }
}

/// The bundles whose addresses an appliance lists.
fn bundles(appliance: &Element) -> BTreeSet<BundleReference> {
    let uris = appliance.child("mySoftwareUris").map(Element::children);
    let uris = uris.unwrap_or_default().iter().filter_map(Element::value);
    uris.map(|uri| {
        let mut segments = uri.split('/').skip(1).step_by(2);
        BundleReference {
            owner: segments.next().map(str::to_owned),
            id: segments.next().and_then(|id| id.parse().ok()),
        }
    })
    .collect()
}

fn inner(element: &Element) -> Vec<InnerFacts> {
    let roles: &[(InnerRole, &str)] = match element.name() {
        "appliance" => &[
            (InnerRole::InstallProfile, "installProfile"),
            (InnerRole::OsProfile, "osProfile"),
            (InnerRole::StudioPackage, "oasPackage"),
        ],
        "installProfile" => &[(InnerRole::PartitionTable, "partitionTable")],
        "mySoftware" | "oasPkg" => &[(InnerRole::License, "license")],
        _ => &[],
    };
    let found = roles.iter().filter_map(|(role, name)| {
        let file = element.child(name)?;
        Some(InnerFacts {
            role: *role,
            id: file.child_number("dbId")?,
            name: text(file, "name"),
            size: size(file, "size"),
            uploaded: file.child("uploaded").map(|_| holds(file, "uploaded")),
        })
    });
    found.collect()
}

fn uploads(element: &Element) -> Vec<UploadFacts> {
    let file = |role, name| element.child(name).map(|file| upload(role, file));
    match element.name() {
        "user" => file(UploadRole::Photo, "photo").into_iter().collect(),
        "appliance" | "mySoftware" => file(UploadRole::Logo, "logo").into_iter().collect(),
        "credAccount" => {
            let certificates = element
                .child("certificates")
                .map(Element::children)
                .unwrap_or_default();
            certificates
                .iter()
                .map(|file| upload(UploadRole::Certificate, file))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn upload(role: UploadRole, file: &Element) -> UploadFacts {
    UploadFacts {
        role,
        id: file.child_number("dbId"),
        name: text(file, "name"),
        uploaded: holds(file, "uploaded"),
        size: size(file, "size"),
        sha256: text(file, "sha256sum"),
        md5: text(file, "md5sum"),
        media_type: text(file, "mimeType"),
    }
}

/// The facts of a `status`.
pub(super) fn status(element: &Element) -> ExportStatus {
    let message = text(element, "errorMessage");
    let detailed = text(element, "detailedErrorMsg");
    ExportStatus {
        complete: holds(element, "complete"),
        error: holds(element, "error") || holds(element, "detailedError"),
        cancelled: holds(element, "cancelled"),
        percentage: element.child_number("percentage"),
        bytes_loaded: element.child_number("bytesLoaded"),
        bytes_total: element.child_number("bytesTotal"),
        message: text(element, "message"),
        error_message: match (message, detailed) {
            (Some(message), Some(detailed)) => Some(format!("{message}: {detailed}")),
            (message, detailed) => message.or(detailed),
        },
    }
}
