//! What this program does with every GET resource under `users/{uid}` of the platform: the answer to "is this all?".
//!
//! The table is `coverage.tsv`, held by a test against the platform's published resources in `coverage_resources.tsv`.

use schemars::JsonSchema;
use serde::Serialize;

const TABLE: &str = include_str!("coverage.tsv");

/// Where within a section a resource's content stands, when the resource itself is not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// In a document of the section: the list or the object that holds it.
    Document,
    /// In the archives that the platform makes of the section's items.
    Archive,
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
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(row)
}

fn row(line: &'static str) -> Option<Coverage> {
    let mut columns = line.split('\t');
    let (resource, section, rest) = (columns.next()?, columns.next()?, columns.next());
    Some(match (section, rest) {
        ("-", reason) => Coverage::LeftOut {
            resource,
            left_out: reason?,
        },
        (section, inside) => Coverage::Kept {
            resource,
            section,
            inside: match inside {
                Some("document") => Some(Inside::Document),
                Some("archive") => Some(Inside::Archive),
                _ => None,
            },
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
    fn every_row_is_read_whole() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(coverage().count(), rows);
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let known = match columns[..] {
                [_, "-", reason] => reason.len() > 10,
                [_, section] | [_, section, "document" | "archive"] => {
                    section.parse::<Section>().is_ok()
                }
                _ => false,
            };
            assert!(known, "{line}");
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
