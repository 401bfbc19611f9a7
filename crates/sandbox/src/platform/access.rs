//! What a scenario refuses or does not know, and which entitlement a call needs.

use crate::scenario::Access;

use super::collections::Collection;
use super::data::ENTITLEMENTS;
use super::refusal::Refusal;

/// Whether the resource at `path` below `users/{uid}` may be had.
pub(crate) fn check(access: &Access, path: &[&str]) -> Result<(), Refusal> {
    if access.unknown.iter().any(|resource| covers(resource, path)) {
        return Err(Refusal::not_found("such resource in this version"));
    }
    if access
        .forbidden
        .iter()
        .any(|resource| covers(resource, path))
    {
        return Err(Refusal::forbidden("read this resource"));
    }
    match entitlement(path).filter(|needed| {
        access
            .missing_entitlements
            .iter()
            .any(|missing| missing == needed)
    }) {
        None => Ok(()),
        Some(needed) => {
            let known = ENTITLEMENTS.iter().find(|(name, _)| *name == needed);
            Err(Refusal::forbidden(
                known.map_or(needed, |(_, description)| description),
            ))
        }
    }
}

/// `profile` is the user document itself; anything else covers what lies below it too.
fn covers(resource: &str, path: &[&str]) -> bool {
    if resource == "profile" {
        return path.is_empty();
    }
    let resource: Vec<&str> = resource.split('/').collect();
    path.starts_with(&resource)
}

fn entitlement(path: &[&str]) -> Option<&'static str> {
    match path {
        ["mysoftware", _, "exports", ..] => Some("software_upload"),
        ["accounts", _, "certs", ..] | ["bundleimports", ..] => Some("appliance_create"),
        [first, ..] => Collection::at(first)?.entitlement,
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(access: &Access, path: &str) -> Option<u16> {
        let path: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        check(access, &path).err().map(|refusal| refusal.status)
    }

    #[test]
    fn a_forbidden_resource_takes_what_lies_below_it_along() {
        let access = Access {
            forbidden: vec!["scans".to_owned(), "exports/statuses".to_owned()],
            ..Access::default()
        };
        assert_eq!(status(&access, "scans/7"), Some(403));
        assert_eq!(status(&access, "scannedinstances"), None);
        assert_eq!(status(&access, "exports/statuses"), Some(403));
        assert_eq!(status(&access, "exports"), None);
    }

    #[test]
    fn an_entitlement_can_be_missing_for_an_export_alone() {
        let access = Access {
            missing_entitlements: vec!["software_upload".to_owned()],
            ..Access::default()
        };
        assert_eq!(status(&access, "mysoftware"), None);
        assert_eq!(status(&access, "mysoftware/301/exports"), Some(403));
    }

    #[test]
    fn the_profile_can_be_unknown_alone() {
        let access = Access {
            unknown: vec!["profile".to_owned()],
            ..Access::default()
        };
        assert_eq!(status(&access, ""), Some(404));
        assert_eq!(status(&access, "appliances"), None);
    }
}
