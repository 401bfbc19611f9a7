//! What the fields of the platform's schema are called in plain words.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::report::visible;

/// One line a field: its name in the schema, and what it is called.
const TABLE: &str = include_str!("labels.tsv");
/// Longer names are cut: no field of the schema has one.
const LONGEST_CHARACTERS: usize = 80;

static LABELS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = TABLE.lines();
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// What a field is called; one that the table does not have keeps its name.
pub(super) fn label(name: &str) -> String {
    if let Some(label) = LABELS.get(name) {
        return (*label).to_owned();
    }
    if name.is_empty() {
        return "Text".to_owned();
    }
    visible(name).chars().take(LONGEST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::view::fields::is_shown;

    #[test]
    fn every_line_is_a_field_that_is_shown_and_its_words() {
        let mut names = BTreeSet::new();
        for line in TABLE.lines() {
            let (name, words) = line.split_once('\t').unwrap();
            assert!(is_shown(name), "{name}");
            assert!(names.insert(name), "{name} stands twice");
            assert!(!words.trim().is_empty() && words.trim() == words, "{name}");
        }
        assert!(names.len() > 800, "{}", names.len());
    }

    #[test]
    fn a_field_that_nobody_knows_keeps_its_name() {
        assert_eq!(label("lastModified"), "Last changed");
        assert_eq!(label("brandNewField"), "brandNewField");
        assert_eq!(label("a\u{1b}b"), "a\u{fffd}b");
        assert_eq!(label(&"x".repeat(500)).len(), LONGEST_CHARACTERS);
    }
}
