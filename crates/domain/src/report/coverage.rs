//! What this program does with every GET resource under `users/{uid}` of the platform: the answer to "is this all?".
//!
//! The table is `model/resources.tsv`, held by a test against the platform's published resources in `coverage_resources.tsv`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Use, platform_resources};

/// Where within a section a resource's content stands, when the resource itself is not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// In a document of the section: the list or the object that holds it.
    Document,
    /// In the archives that the platform makes of the section's items.
    Archive,
    /// In the folder `fallback/` of those items of which the platform can give no archive, and nowhere else.
    Fallback,
}

/// What became of one GET resource of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Coverage {
    /// Its content is in the bag, where its section is.
    Kept {
        /// The resource, with the parameters of its path in braces.
        resource: &'static str,
        /// The section that holds it.
        #[schemars(schema_with = "super::schema::section")]
        section: &'static str,
        /// Where in the section, when it is not a document or a file of its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        inside: Option<Inside>,
        /// Whether it is fetched, into the folder `fallback/` of an item, where the platform can give no archive of that item.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        fallback: bool,
    },
    /// It is left out.
    LeftOut {
        /// The resource, with the parameters of its path in braces.
        resource: &'static str,
        /// Why, in plain words.
        left_out: &'static str,
    },
}

/// Every GET resource under `users/{uid}`, sorted by path.
pub fn coverage() -> impl Iterator<Item = Coverage> {
    platform_resources().map(|row| match row.use_of_it {
        Use::LeftOut(left_out) => Coverage::LeftOut {
            resource: row.path,
            left_out,
        },
        Use::Kept(section, words) => Coverage::Kept {
            resource: row.path,
            section,
            inside: if words.have("document") {
                Some(Inside::Document)
            } else if words.have("archive") {
                Some(Inside::Archive)
            } else if words.have("fallback") {
                Some(Inside::Fallback)
            } else {
                None
            },
            fallback: words.have("fallback"),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Section;

    const PUBLISHED: &str = include_str!("coverage_resources.tsv");

    fn resource_of(coverage: Coverage) -> &'static str {
        match coverage {
            Coverage::Kept { resource, .. } | Coverage::LeftOut { resource, .. } => resource,
        }
    }

    #[test]
    fn every_published_resource_is_accounted_for_exactly_once() {
        let methods: Vec<&str> = PUBLISHED.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(methods.len(), 165);
        assert!(methods.is_sorted());
        // Two methods share a path and differ in what they answer.
        let published: BTreeSet<&str> = methods
            .iter()
            .filter_map(|line| line.split('\t').next())
            .collect();
        let covered: Vec<&str> = coverage().map(resource_of).collect();
        assert_eq!(covered, published.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_section_of_the_table_is_one() {
        for row in coverage() {
            if let Coverage::Kept { section, .. } = row {
                assert!(section.parse::<Section>().is_ok(), "{section}");
            }
        }
    }

    #[test]
    fn every_section_below_the_user_is_the_home_of_some_resource() {
        let homes: BTreeSet<&str> = coverage()
            .filter_map(|row| match row {
                Coverage::Kept {
                    section,
                    inside: None,
                    ..
                } => Some(section),
                _ => None,
            })
            .collect();
        for section in Section::ALL {
            // Comments lie under `orgs/{oid}`.
            assert_eq!(
                homes.contains(section.name()),
                section != Section::WorkspaceComments,
                "{section}"
            );
        }
    }
}
