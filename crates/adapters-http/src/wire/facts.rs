//! What the workflow needs to know, read from a document's tree.

use domain::model::{
    Facts, InnerFacts, InnerRole, ItemKind, ItemRef, ListResource, ObjectFacts, Resource,
    UploadFacts, UploadRole,
};
use roxmltree::{Document, Node};

use super::Unread;
use super::address::{id_after, last_number, object_id};
use super::bundles;
use super::xml::{child, children, count, flag, kind, number, root, text, word};

/// What a resource's document looks like (docs/platform.md#lists).
enum Shape {
    /// One object.
    Object(&'static str),
    /// Root, wrapper and item.
    List(&'static str, &'static str, &'static str),
    /// A document below an item: an object, or a list of objects, of one of many types.
    Part,
    /// Not in the schema: kept as sent.
    Unknown,
}

fn shape(what: Resource) -> Shape {
    match what {
        Resource::User => Shape::Object("user"),
        Resource::List(list, _) => list_shape(list),
        Resource::Item(ItemRef { kind, .. }) => Shape::Object(match kind {
            ItemKind::Appliance => "appliance",
            ItemKind::MySoftware => "mySoftware",
        }),
        Resource::CloudAccount(_) => Shape::Object("credAccount"),
        Resource::WorkspaceTemplates { .. } => {
            Shape::List("galleryTemplates", "galleryTemplates", "galleryTemplate")
        }
        Resource::WorkspaceComments { .. } | Resource::TemplateComments { .. } => {
            Shape::List("comments", "comments", "comment")
        }
        Resource::Part(..) => Shape::Part,
    }
}

fn list_shape(list: ListResource) -> Shape {
    let (root, item) = match list {
        ListResource::Appliances => ("appliances", "appliance"),
        ListResource::MySoftware => ("mySoftwareList", "mySoftware"),
        ListResource::Accounts => ("credAccounts", "credAccount"),
        ListResource::ArtifactAccounts => ("artifactCredAccounts", "artifactCredAccount"),
        ListResource::ApiKeys => ("apiKeyPairs", "apiKeyPair"),
        ListResource::SshKeys => ("sshKeys", "sshKey"),
        ListResource::Workspaces => ("workspaces", "workspace"),
        ListResource::Orgs => ("orgs", "org"),
        ListResource::Roles => ("roles", "role"),
        ListResource::Quotas => ("quotas", "quota"),
        ListResource::Usage => ("statTickets", "statTicket"),
        ListResource::Stats => return Shape::List("userStats", "stats", "stat"),
        ListResource::Activities => return Shape::Unknown,
        ListResource::Images => ("images", "image"),
        ListResource::PublishedImages => ("publishImages", "publishImage"),
        ListResource::Imports => ("applianceImports", "applianceImport"),
        ListResource::Exports => ("applianceExports", "applianceExport"),
        ListResource::Scans => ("scans", "scan"),
        ListResource::ScannedInstances => ("scannedInstances", "scannedInstance"),
        ListResource::Migrations => ("migrations", "migration"),
        ListResource::Deployments => ("deployments", "deployment"),
        ListResource::Blueprints => ("blueprintsSummaries", "BlueprintSummary"),
    };
    Shape::List(root, root, item)
}

/// Root, wrapper and item of a list; `None` where this resource is none.
pub(super) fn list_names(what: Resource) -> Option<(&'static str, &'static str, &'static str)> {
    match shape(what) {
        Shape::List(root, wrapper, item) => Some((root, wrapper, item)),
        Shape::Object(_) | Shape::Part | Shape::Unknown => None,
    }
}

/// The facts in a document's tree.
pub(super) fn of(document: &Document<'_>, what: Resource) -> Result<Facts, Unread> {
    match shape(what) {
        Shape::Object(name) => {
            let root = root(document, &[name])?;
            let mut object = object(root);
            object.bundles = is_appliance(what).then(|| bundles::of(root));
            Ok(Facts {
                objects: vec![object],
                total: None,
            })
        }
        Shape::List(name, wrapper, item) => {
            let root = root(document, &[name])?;
            Ok(Facts {
                objects: items(root, wrapper, item).map(object).collect(),
                total: count(root, "total"),
            })
        }
        Shape::Part => root(document, &[]).map(part),
        Shape::Unknown => root(document, &[]).map(unknown),
    }
}

/// Of a list that the schema does not describe, only how many objects there are: in its only wrapper, else in the root itself.
fn unknown(root: Node<'_, '_>) -> Facts {
    let has_fields = |node: &Node<'_, '_>| children(*node).next().is_some();
    let direct: Vec<_> = children(root).filter(has_fields).collect();
    let objects = match direct.as_slice() {
        [wrapper] if children(*wrapper).all(|node| has_fields(&node)) => children(*wrapper).count(),
        _ => direct.len(),
    };
    Facts {
        objects: vec![ObjectFacts::default(); objects],
        total: None,
    }
}

/// What has an id of its own is an object; anything else holds objects, in its wrapper or directly.
fn part(root: Node<'_, '_>) -> Facts {
    if object_id(root).is_some() {
        return Facts {
            objects: vec![object(root)],
            total: None,
        };
    }
    let is_object = |node: &Node<'_, '_>| object_id(*node).is_some();
    let objects = children(root).flat_map(|node| {
        let inside = (!is_object(&node)).then(|| children(node));
        std::iter::once(node).chain(inside.into_iter().flatten())
    });
    Facts {
        objects: objects.filter(is_object).map(object).collect(),
        total: count(root, "total"),
    }
}

fn is_appliance(what: Resource) -> bool {
    matches!(what, Resource::Item(item) if item.kind == ItemKind::Appliance)
}

/// The items of a list, in its wrapper or, where that is missing, in the root itself.
pub(super) fn items<'a, 'i>(
    root: Node<'a, 'i>,
    wrapper: &'static str,
    item: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    children(root)
        .flat_map(move |node| {
            let is_wrapper = node.tag_name().name() == wrapper;
            let inside = is_wrapper.then(|| children(node)).into_iter().flatten();
            inside.chain((!is_wrapper).then_some(node))
        })
        .filter(move |node| node.tag_name().name().eq_ignore_ascii_case(item))
}

/// The facts of one object.
pub(super) fn object(node: Node<'_, '_>) -> ObjectFacts {
    let is_deployment = node.tag_name().name() == "deployment";
    let application = || number(node, "applicationId").filter(|_| is_deployment);
    ObjectFacts {
        id: object_id(node).or_else(application),
        name: name(node),
        login: login(node),
        version: first(node, &["version", "applianceVersion", "bundleVersion"]),
        uri: word(node, "uri"),
        digest: word(node, "digest"),
        last_modified: word(node, "lastModified"),
        kind: kind(node),
        size: count(node, "size").or_else(|| count(node, "installedSize")),
        secrets_missing: flag(node, "secretsMissing"),
        org: organization(node),
        uploads: uploads(node),
        uploaded: is_own_file(node).then(|| uploaded(node)).flatten(),
        inner: inner(node),
        bundles: None,
    }
}

/// Whether an object is a file of the user's own.
fn is_own_file(node: Node<'_, '_>) -> bool {
    matches!(node.tag_name().name(), "bootScript" | "softwareArtifact")
}

fn uploaded(node: Node<'_, '_>) -> Option<bool> {
    child(node, "uploaded").map(|_| flag(node, "uploaded"))
}

/// The objects in it that have addresses below it. An address without its object names it as well.
fn inner(node: Node<'_, '_>) -> Vec<InnerFacts> {
    let one = |role, name: &str, uri: &str| {
        let file = child(node, name);
        let id = file
            .and_then(object_id)
            .or_else(|| last_number(&word(node, uri)?))?;
        Some(InnerFacts {
            role,
            id,
            name: file.and_then(|file| text(file, "name")),
            size: file.and_then(|file| count(file, "size")),
            uploaded: file.and_then(uploaded),
        })
    };
    let found = match node.tag_name().name() {
        "appliance" => vec![
            one(
                InnerRole::InstallProfile,
                "installProfile",
                "installProfileUri",
            ),
            one(InnerRole::OsProfile, "osProfile", "osProfileUri"),
            one(InnerRole::StudioPackage, "oasPackage", "oasPackageUri"),
        ],
        "installProfile" => vec![one(InnerRole::PartitionTable, "partitionTable", "")],
        "mySoftware" | "oasPkg" => vec![one(InnerRole::License, "license", "")],
        "softwareArtifact" => return artifacts_in(node),
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// The files in a folder of files, at any depth.
fn artifacts_in(node: Node<'_, '_>) -> Vec<InnerFacts> {
    let nested = node.descendants().skip(1);
    let artifacts = nested.filter(|node| node.tag_name().name() == "softwareArtifact");
    artifacts
        .filter_map(|file| {
            Some(InnerFacts {
                role: InnerRole::Artifact,
                id: object_id(file)?,
                name: text(file, "name"),
                size: count(file, "size"),
                uploaded: uploaded(file),
            })
        })
        .collect()
}

/// The organization of a workspace; the schema lets `orgUri` be absent, and the workspace's own address names it as well.
fn organization(node: Node<'_, '_>) -> Option<i64> {
    match word(node, "orgUri") {
        Some(uri) => last_number(&uri),
        None => id_after(&word(node, "uri")?, "orgs"),
    }
}

/// A user and the author of a comment are known by login; everything else by what it is called.
fn name(node: Node<'_, '_>) -> Option<String> {
    if node.tag_name().name() == "user" {
        return first(node, &["loginName", "name"]);
    }
    first(node, &["name", "applianceName", "bundleName", "loginName"])
}

/// Who somebody is. An identity is taken whole or not at all: neither a displayed name nor a part of a longer text is one.
pub(super) fn login(node: Node<'_, '_>) -> Option<String> {
    if node.tag_name().name() != "user" {
        return None;
    }
    let mut logins = children(node).filter(|child| child.tag_name().name() == "loginName");
    match (logins.next(), logins.next()) {
        (Some(login), None) => only_text(login),
        _ => None,
    }
}

/// The text of an element that has nothing else in it, unless it is longer than any name.
fn only_text(node: Node<'_, '_>) -> Option<String> {
    const LONGEST_BYTES: usize = 1_000;
    if children(node).next().is_some() {
        return None;
    }
    let parts = node.children().filter(Node::is_text);
    let text: String = parts.filter_map(|part| part.text()).collect();
    (!text.trim().is_empty() && text.len() <= LONGEST_BYTES).then_some(text)
}

fn first(node: Node<'_, '_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(node, name))
}

fn uploads(node: Node<'_, '_>) -> Vec<UploadFacts> {
    let named = |role, name| {
        child(node, name)
            .filter(|file| children(*file).next().is_some())
            .map(|file| upload(role, file))
    };
    match node.tag_name().name() {
        "user" => named(UploadRole::Photo, "photo").into_iter().collect(),
        "appliance" | "mySoftware" => named(UploadRole::Logo, "logo").into_iter().collect(),
        "credAccount" => certificates(node),
        _ => Vec::new(),
    }
}

/// Those in `certificates`, and whatever else of the account is a file: the sub-types are many, and may become more.
fn certificates(account: Node<'_, '_>) -> Vec<UploadFacts> {
    children(account)
        .flat_map(|node| {
            let is_wrapper = node.tag_name().name() == "certificates";
            let inside = is_wrapper.then(|| children(node)).into_iter().flatten();
            inside.chain((!is_wrapper && is_file(node)).then_some(node))
        })
        .map(|file| upload(UploadRole::Certificate, file))
        .collect()
}

/// Whether it has what only the schema type `UForgeUploadObject` has.
fn is_file(node: Node<'_, '_>) -> bool {
    ["uploaded", "uploadedTime", "sha256sum", "md5sum"]
        .iter()
        .any(|name| child(node, name).is_some())
}

fn upload(role: UploadRole, node: Node<'_, '_>) -> UploadFacts {
    UploadFacts {
        role,
        id: object_id(node),
        name: text(node, "name"),
        uploaded: flag(node, "uploaded"),
        size: count(node, "size"),
        sha256: word(node, "sha256sum"),
        md5: word(node, "md5sum"),
        media_type: word(node, "mimeType"),
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
