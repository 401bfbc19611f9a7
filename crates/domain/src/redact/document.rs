//! A document as a flat tree of names and texts with their places in the bytes, the same for XML and JSON.

use std::borrow::Cow;
use std::ops::Range;

/// Most nodes of one document: what 64 MiB of an ordinary document hold many times over, and what keeps a hostile one from
/// taking all memory.
pub(super) const MOST_NODES: usize = 4_000_000;

/// Why a document is unreadable; never a piece of it.
#[derive(Debug)]
pub(super) struct Flaw(pub(super) String);

/// How a text is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// Between XML tags, in an attribute or in a JSON string: the range is what stands between the delimiters.
    Text,
    /// A JSON number: whatever replaces it brings its own quotes.
    Number,
    /// A JSON `true`, `false` or `null`, which holds no secret.
    Literal,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Other nodes.
    Branch,
    /// A text.
    Leaf {
        /// What it says.
        text: Cow<'a, str>,
        /// How it is written.
        writing: Writing,
    },
}

/// An element, an attribute, a JSON member, or a text between elements.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// The node that holds it; its own index for the root.
    pub(super) parent: usize,
    /// Local name or key; members of a JSON array have the array's. Empty for comments and texts between elements.
    pub(super) name: Cow<'a, str>,
    /// What it holds.
    pub(super) value: Value<'a>,
    /// The bytes of its value.
    pub(super) range: Range<usize>,
}

/// A document in its order: a node comes after its parent.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) source: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            nodes: Vec::new(),
        }
    }

    /// Adds a node and says its index.
    pub(super) fn push(&mut self, node: Node<'a>) -> Result<usize, Flaw> {
        if self.nodes.len() >= MOST_NODES {
            return Err(Flaw(format!("it holds more than {MOST_NODES} values")));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    pub(super) fn parent_of(&self, node: &Node<'a>) -> Option<&Node<'a>> {
        self.nodes.get(node.parent)
    }

    /// The bytes of a node's value as they are written.
    pub(super) fn raw(&self, node: &Node<'a>) -> &'a str {
        self.source.get(node.range.clone()).unwrap_or_default()
    }
}
