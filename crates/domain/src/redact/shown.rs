//! A document's values as a page may show them: what is secret is not among them.
//!
//! The rules are those by which secrets are blanked (`fields`, `secrets`), and stricter where a page is read over a shoulder: the same
//! values are also looked for in Base64, and inside JSON and XML that stand in a text.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::document::{Node, Tree, Value, Writing};
use super::edits::BLANK;
use super::fields::{is_enumerated, is_figure};
use super::secrets::{self, Echoes, Verdict, merged};
use super::{RedactError, read, redact_secrets, text_of, urls};
use crate::model::Representation;

/// The shortest secret in Base64 is not shorter: secrets that are looked for have six bytes.
const SHORTEST_BASE64: usize = 8;
/// Both alphabets of RFC 4648, padded or not.
const BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT),
    GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT),
];
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// What of a node may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// It holds other nodes.
    Branch,
    /// What it says, with parts blanked that are secret.
    Text(Cow<'a, str>),
    /// A JSON `null`.
    Nothing,
    /// It, and all that is in it, is secret.
    Secret(SecretValue),
}

/// What there is of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretValue {
    /// Nothing.
    Absent,
    /// An empty text: what blanking leaves of a value, though it may have been empty before.
    Empty,
    /// A value.
    There,
}

/// A document that is shown, in its order: a node comes after the one that holds it.
pub struct ShownDocument<'a> {
    tree: &'a Tree<'a>,
    form: Representation,
    verdicts: Vec<Verdict>,
    echoes: Echoes<'a>,
    /// For each node the first that it holds, and the next that its holder holds; 0, which is the root, for none.
    links: Vec<(usize, usize)>,
}

/// Reads a document and hands it to `see`.
pub fn show<T>(
    form: Representation,
    bytes: &[u8],
    see: impl FnOnce(&ShownDocument<'_>) -> T,
) -> Result<T, RedactError> {
    let text = text_of(bytes)?;
    let tree = read(form, &text)?;
    let verdicts = secrets::verdicts(&tree);
    let values = secrets::values(&tree, &verdicts);
    Ok(see(&ShownDocument {
        form,
        links: links(&tree),
        echoes: Echoes::of(&values),
        verdicts,
        tree: &tree,
    }))
}

fn links(tree: &Tree<'_>) -> Vec<(usize, usize)> {
    let mut links = vec![(0, 0); tree.nodes.len()];
    let mut last = vec![0; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        if node.parent >= index {
            continue;
        }
        let before = last
            .get_mut(node.parent)
            .map(|last| std::mem::replace(last, index));
        match before {
            Some(0) => {
                if let Some((first, _)) = links.get_mut(node.parent) {
                    *first = index;
                }
            }
            Some(before) => {
                if let Some((_, next)) = links.get_mut(before) {
                    *next = index;
                }
            }
            None => {}
        }
    }
    links
}

impl ShownDocument<'_> {
    /// The node that holds all others.
    pub fn root(&self) -> usize {
        0
    }

    /// Its local name or key; empty for the root of a JSON document, for remarks and for texts between elements.
    pub fn name(&self, node: usize) -> &str {
        self.tree.nodes.get(node).map_or("", |node| &node.name)
    }

    /// The nodes that it holds, in their order.
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        let link = |node: usize| self.links.get(node).copied().unwrap_or_default();
        let first = Some(link(node).0).filter(|child| *child > 0);
        std::iter::successors(first, move |child| {
            Some(link(*child).1).filter(|next| *next > 0)
        })
    }

    /// Whether it holds others, or could.
    pub fn is_branch(&self, node: usize) -> bool {
        let node = self.tree.nodes.get(node);
        node.is_some_and(|node| matches!(node.value, Value::Branch))
    }

    /// What of it may be shown.
    pub fn value(&self, index: usize) -> Shown<'_> {
        let Some(node) = self.tree.nodes.get(index) else {
            return Shown::Nothing;
        };
        if self.verdicts.get(index) != Some(&Verdict::Open) {
            return Shown::Secret(self.secret_value(index));
        }
        match &node.value {
            Value::Branch => Shown::Branch,
            Value::Leaf { text, writing } => match writing {
                Writing::Literal if text == "null" => Shown::Nothing,
                Writing::Literal | Writing::Number => Shown::Text(Cow::Borrowed(text)),
                Writing::Text => Shown::Text(self.open_text(node, text)),
            },
        }
    }

    /// The most that there is of a secret, in it or in what it holds. Without recursion: documents may be deep.
    fn secret_value(&self, index: usize) -> SecretValue {
        let (mut most, mut to_see) = (SecretValue::Absent, vec![index]);
        while let Some(index) = to_see.pop() {
            let Some(node) = self.tree.nodes.get(index) else {
                continue;
            };
            let found = match &node.value {
                Value::Branch => {
                    to_see.extend(self.children(index));
                    continue;
                }
                Value::Leaf { text, writing } => self.secret_leaf(node, text, *writing),
            };
            if found == SecretValue::There {
                return found;
            }
            most = most.max(found);
        }
        most
    }

    fn secret_leaf(&self, node: &Node<'_>, text: &str, writing: Writing) -> SecretValue {
        let before = self.tree.source.get(..node.range.start).unwrap_or_default();
        match writing {
            Writing::Literal if text == "null" => SecretValue::Absent,
            _ if !text.trim().is_empty() => SecretValue::There,
            // `<password/>` was never blanked, `<password></password>` may have been.
            _ if before.ends_with("/>") => SecretValue::Absent,
            _ => SecretValue::Empty,
        }
    }

    /// Whether it is no value: a comment, or an instruction to programs.
    pub fn is_remark(&self, node: usize) -> bool {
        let nameless = self
            .tree
            .nodes
            .get(node)
            .filter(|node| node.name.is_empty());
        let Some(node) = nameless.filter(|node| !matches!(node.value, Value::Branch)) else {
            return false;
        };
        let before = self.tree.source.get(..node.range.start).unwrap_or_default();
        let opening = before.rfind('<').and_then(|at| before.get(at..));
        self.form == Representation::Xml
            && (before.ends_with("<!--")
                || opening.is_some_and(|text| text.starts_with("<?") && !text.contains('>')))
    }

    fn open_text<'t>(&'t self, node: &Node<'t>, text: &'t str) -> Cow<'t, str> {
        let text = match self.form {
            Representation::Xml => without_remarks(self.tree.raw(node), text),
            Representation::Json => Cow::Borrowed(text),
        };
        if is_enumerated(&node.name) || is_figure(&text) {
            return text;
        }
        let inner = inner_document(&text);
        let text = inner.map_or(text, Cow::Owned);
        let mut secret = self.echoes.within(&text);
        secret.extend(urls::secrets_in(&text));
        secret.extend(self.encoded(&text));
        if secret.is_empty() {
            text
        } else {
            Cow::Owned(blanked(&text, secret))
        }
    }

    /// Words in Base64 that hold a secret.
    fn encoded(&self, text: &str) -> Vec<Range<usize>> {
        if self.echoes.is_empty() {
            return Vec::new();
        }
        let holds_secret = |range: &Range<usize>| {
            let word = text.get(range.clone()).unwrap_or_default();
            let decoded = BASE64.iter().filter_map(|engine| engine.decode(word).ok());
            decoded
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .any(|plain| !self.echoes.within(&plain).is_empty())
        };
        base64_words(text).filter(holds_secret).collect()
    }
}

fn base64_words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_of_it = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    };
    let mut at = 0;
    let words = text.as_bytes().split(move |byte| !is_of_it(byte));
    let words = words.map(move |word| {
        let start = at;
        at += word.len() + 1;
        start..start + word.len()
    });
    words.filter(|word| word.len() >= SHORTEST_BASE64)
}

/// A text that is a document itself loses its secrets by the same rules.
fn inner_document(text: &str) -> Option<String> {
    let form = match text.trim_start().bytes().next()? {
        b'{' | b'[' => Representation::Json,
        b'<' => Representation::Xml,
        _ => return None,
    };
    let blanked = redact_secrets(form, text.as_bytes()).ok()?;
    (blanked.count > 0).then(|| String::from_utf8_lossy(&blanked.bytes).into_owned())
}

/// The text of an element without the comments in it.
fn without_remarks<'t>(raw: &str, text: &'t str) -> Cow<'t, str> {
    if !raw.contains("<!--") && !raw.contains("<?") {
        return Cow::Borrowed(text);
    }
    let element = format!("<a>{raw}</a>");
    let Ok(document) = roxmltree::Document::parse(&element) else {
        return Cow::Borrowed("");
    };
    let texts = document.root_element().children();
    let texts = texts.filter(roxmltree::Node::is_text);
    Cow::Owned(texts.filter_map(|node| node.text()).collect())
}

fn blanked(text: &str, ranges: Vec<Range<usize>>) -> String {
    let (mut shown, mut position) = (String::with_capacity(text.len()), 0);
    for range in merged(ranges) {
        shown.push_str(text.get(position..range.start).unwrap_or_default());
        shown.push_str(BLANK);
        position = range.end;
    }
    shown.push_str(text.get(position..).unwrap_or_default());
    shown
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
