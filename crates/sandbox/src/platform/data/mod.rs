//! The documents of the demo data, type by type, in the order of the schema's sequences.
//!
//! Each function makes one document or one list's entries for one owner. What is secret is made by [`fields::invented`] and marked as
//! such, so that a test can ask for every secret of a sandbox.

mod accounts;
mod appliances;
mod fields;
mod keys;
mod machines;
mod movements;
mod organizations;
mod parts;
mod profile;
mod software;
mod workspaces;

use crate::document::Element;

pub(crate) use accounts::{Secrets, account, certificate_file, certificate_ids};
pub(crate) use appliances::appliance;
pub(crate) use fields::{FIRST_USER_ID, Owner, encoded};
pub(crate) use organizations::ENTITLEMENTS;
pub(crate) use parts::{Part, appliance_part, bundle_part};
pub(crate) use profile::{PHOTO_ID, photo, user};
pub(crate) use software::my_software;
pub(crate) use workspaces::{comments, has_workspace, templates};

/// The entries of the lists that are not items or tickets; `None` where there is no such list.
pub(crate) fn entries(owner: &Owner<'_>, collection: &str) -> Option<Vec<Element>> {
    let entries = match collection {
        "artifactaccounts" => keys::artifact_accounts(owner),
        "apikeys" => keys::api_keys(owner),
        "sshkeys" => keys::ssh_keys(owner),
        "workspaces" => workspaces::workspaces(owner),
        "orgs" => organizations::organizations(owner),
        "roles" => organizations::roles(owner),
        "quotas" => organizations::quotas(owner),
        "usage" => organizations::usage(owner),
        "stats" => organizations::statistics(owner),
        "activities" => organizations::activities(owner),
        "images" => machines::images(owner),
        "pimages" => machines::published_images(owner),
        "scans" => machines::scans(owner),
        "scannedinstances" => machines::scanned_instances(owner),
        "imports" => movements::imports(owner),
        "migrations" => movements::migrations(owner),
        "deployments" => movements::deployments(owner),
        "blueprints" => movements::blueprints(owner),
        _ => return None,
    };
    Some(entries)
}
