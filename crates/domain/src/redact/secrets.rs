//! Which values of a document are secret, and where else in it they stand.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::document::{Node, Tree, Value, Writing};
use super::edits::{BLANK, Edits};
use super::fields::{is_enumerated, is_figure, is_labelled, is_secret, labels_a_secret};
use super::urls;

/// Shorter values are too likely to be ordinary words where they stand elsewhere.
const SHORTEST_ECHO_BYTES: usize = 6;

/// What is to be blanked, and the values that were found.
pub(super) struct Found {
    pub(super) edits: Edits,
    pub(super) values: Vec<String>,
}

/// What is decided of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    /// It, and all that is in it, is secret.
    Secret,
}

/// Finds the secrets of a document.
pub(super) fn find(tree: &Tree<'_>) -> Found {
    let verdicts = verdicts(tree);
    let mut edits = Edits::default();
    for (node, verdict) in tree.nodes.iter().zip(&verdicts) {
        if let (Value::Leaf { writing, .. }, Verdict::Secret) = (&node.value, verdict) {
            blank(&mut edits, node, *writing);
        }
    }
    let values = values(tree, &verdicts);
    let echoes = Echoes::of(&values);
    for (node, verdict) in tree.nodes.iter().zip(&verdicts) {
        if let (
            Value::Leaf {
                text,
                writing: Writing::Text,
            },
            Verdict::Open,
        ) = (&node.value, verdict)
        {
            blank_within(&mut edits, tree, node, text, &echoes);
        }
    }
    Found { edits, values }
}

/// The secret values of a document, as far as they can be distinguished from common words: what must stand nowhere else in it.
pub(super) fn values(tree: &Tree<'_>, verdicts: &[Verdict]) -> Vec<String> {
    let mut values = BTreeSet::new();
    for (node, verdict) in tree.nodes.iter().zip(verdicts) {
        let Value::Leaf { text, writing } = &node.value else {
            continue;
        };
        if *verdict == Verdict::Secret {
            if can_be_blanked(node, *writing) {
                values.insert(text.as_ref());
                values.insert(text.trim());
            }
        } else if *writing == Writing::Text {
            let in_urls = urls::secrets_in(text).into_iter();
            values.extend(in_urls.filter_map(|range| text.get(range)));
        }
    }
    let values = values.into_iter();
    values
        .filter(|value| value.len() >= SHORTEST_ECHO_BYTES && !BLANK.contains(value))
        .map(str::to_owned)
        .collect()
}

/// What is secret, node by node.
pub(super) fn verdicts(tree: &Tree<'_>) -> Vec<Verdict> {
    let mut labelled = vec![false; tree.nodes.len()];
    for node in &tree.nodes {
        if let Value::Leaf { text, .. } = &node.value
            && labels_a_secret(&node.name, text)
            && let Some(holder) = labelled.get_mut(node.parent)
        {
            *holder = true;
        }
    }
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(tree.nodes.len());
    for (index, node) in tree.nodes.iter().enumerate() {
        let is_root = node.parent == index;
        let holder = (!is_root).then(|| tree.parent_of(node)).flatten();
        let inherited = verdicts.get(node.parent) == Some(&Verdict::Secret);
        let named = is_secret(&node.name, holder.map_or("", |holder| &holder.name));
        let labelled_so = is_labelled(&node.name) && labelled.get(node.parent) == Some(&true);
        let is_secret = inherited
            || named
            || labelled_so
            || holds_private_key(node)
            || is_commented_out(tree, node);
        verdicts.push(if is_secret {
            Verdict::Secret
        } else {
            Verdict::Open
        });
    }
    verdicts
}

/// PEM (RFC 7468 §10), OpenSSH and PGP keys, wherever they stand.
fn holds_private_key(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Leaf { text, .. } => {
            text.contains("PRIVATE KEY-----") || text.contains("PRIVATE KEY BLOCK-----")
        }
        Value::Branch => false,
    }
}

/// Elements within a comment: no rule for names sees them.
fn is_commented_out(tree: &Tree<'_>, node: &Node<'_>) -> bool {
    let before = tree.source.get(..node.range.start).unwrap_or_default();
    node.name.is_empty() && before.ends_with("<!--") && tree.raw(node).contains('<')
}

/// Whether a secret has a value.
fn can_be_blanked(node: &Node<'_>, writing: Writing) -> bool {
    match writing {
        Writing::Text => !node.range.is_empty(),
        Writing::Number => true,
        Writing::Literal => false,
    }
}

/// Empties a value, where there is one.
fn blank(edits: &mut Edits, node: &Node<'_>, writing: Writing) {
    if can_be_blanked(node, writing) {
        let by = if writing == Writing::Number {
            "\"\""
        } else {
            ""
        };
        edits.replace(node.range.clone(), by);
    }
}

/// Blanks what of an open text is secret: parts of URLs, and values that are secret elsewhere in the document.
fn blank_within(
    edits: &mut Edits,
    tree: &Tree<'_>,
    node: &Node<'_>,
    text: &str,
    echoes: &Echoes<'_>,
) {
    let raw = tree.raw(node);
    let repeated = if is_enumerated(&node.name) || is_figure(text) {
        Vec::new()
    } else {
        echoes.within(text)
    };
    let in_urls = urls::secrets_in(text);
    let ranges = if text == raw {
        merged(in_urls.into_iter().chain(repeated).collect())
    } else if in_urls.is_empty() && repeated.is_empty() {
        Vec::new()
    } else if repeated.is_empty() && raw.replace("&amp;", "&") == text {
        // In an XML address `&` is always written as a reference, which no secret begins or ends within.
        merged(urls::secrets_in(raw))
    } else {
        // Written with references or escapes that a replacement in the bytes could tear: it goes as a whole.
        edits.replace(node.range.clone(), "");
        return;
    };
    for range in ranges {
        edits.replace(
            node.range.start + range.start..node.range.start + range.end,
            BLANK,
        );
    }
}

/// Ranges in their order, those that overlap as one.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Secret values by their first bytes, so that a text is searched for all of them in one pass.
pub(super) struct Echoes<'a>(HashMap<&'a [u8], Vec<&'a [u8]>>);

impl<'a> Echoes<'a> {
    pub(super) fn of(values: &'a [String]) -> Self {
        let mut by_start: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
        for value in values {
            if let Some(start) = value.as_bytes().get(..SHORTEST_ECHO_BYTES) {
                by_start.entry(start).or_default().push(value.as_bytes());
            }
        }
        Self(by_start)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where they stand in a text.
    pub(super) fn within(&self, text: &str) -> Vec<Range<usize>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let bytes = text.as_bytes();
        let starts = bytes.windows(SHORTEST_ECHO_BYTES).enumerate();
        starts
            .filter_map(|(index, start)| {
                let candidates = self.0.get(start)?.iter();
                let here = bytes.get(index..)?;
                let longest = candidates
                    .filter(|value| here.starts_with(value))
                    .map(|value| value.len())
                    .max()?;
                Some(index..index + longest)
            })
            .collect()
    }
}
