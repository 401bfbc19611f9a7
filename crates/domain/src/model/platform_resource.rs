//! The one table of the GET resources under `users/{uid}` of the platform, `resources.tsv`: what becomes of each.

const TABLE: &str = include_str!("resources.tsv");

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlatformResource {
    /// Its path, with parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) use_of_it: Use,
}

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Its content is in the bag, where the section of this name is; the words say in what.
    Kept(&'static str, Words),
    /// It is left out, for this reason.
    LeftOut(&'static str),
}

/// The words of a row's third column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(&'static str);

impl Words {
    /// Whether the word is among them.
    pub(crate) fn have(self, word: &str) -> bool {
        self.0.split(',').any(|known| known == word)
    }
}

/// Every row, sorted by path.
pub(crate) fn platform_resources() -> impl Iterator<Item = PlatformResource> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(row)
}

fn row(line: &'static str) -> Option<PlatformResource> {
    let mut columns = line.split('\t');
    let (path, section, rest) = (columns.next()?, columns.next()?, columns.next());
    let use_of_it = match section {
        "-" => Use::LeftOut(rest?),
        section => Use::Kept(section, Words(rest.unwrap_or_default())),
    };
    Some(PlatformResource { path, use_of_it })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_whole() {
        let known = ["document", "archive", "fallback", "file", "pages"];
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(platform_resources().count(), lines.count());
        for row in platform_resources() {
            let is_known = match row.use_of_it {
                Use::LeftOut(reason) => reason.len() > 10,
                Use::Kept(_, Words("")) => true,
                Use::Kept(_, Words(words)) => words.split(',').all(|word| known.contains(&word)),
            };
            assert!(is_known, "{row:?}");
        }
    }
}
