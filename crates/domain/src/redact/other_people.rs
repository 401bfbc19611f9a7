//! Which comments are somebody else's, and what of them goes.

use std::collections::BTreeSet;
use std::ops::Range;

use super::document::{Node, Tree, Value, Writing};
use super::edits::Edits;
use super::fields::{is_enumerated, is_figure};
use crate::model::UserId;

/// Who wrote a comment that is not the person's own.
const OTHER: &str = "other";
/// Words, and what could show whose they are. Each is a text that may be empty (schema types `Comment` and `UForgeObject`).
const WORDS: [&str; 3] = ["message", "tags", "digest"];
/// Addresses, which may hold the author's name.
const ADDRESSES: [&str; 4] = ["uri", "abuseUri", "likesUri", "replyUri"];

/// A comment, the place of something that it loses, and what stands there instead.
type Loss = (usize, Range<usize>, &'static str);

/// What a node of the tree is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Role {
    /// No comment.
    #[default]
    Anything,
    /// A comment by the person whose data this is.
    Own,
    /// A comment by somebody else, or by nobody who is named.
    Others {
        /// The node that names the author.
        author: Option<usize>,
    },
}

/// Finds the comments of everybody but `own`, and says how many lose something.
pub(super) fn find(tree: &Tree<'_>, own: &UserId) -> (Edits, u64) {
    let roles = roles(tree, own);
    let mut losses = photos(tree, &roles);
    for node in &tree.nodes {
        let Some(Role::Others { author }) = roles.get(node.parent) else {
            continue;
        };
        let author = author.and_then(|author| tree.nodes.get(author));
        if let Some(by) = loss(tree, node, author.map_or("", text_of)) {
            losses.push((node.parent, node.range.clone(), by));
        }
    }
    let comments: BTreeSet<usize> = losses.iter().map(|(comment, ..)| *comment).collect();
    let mut edits = Edits::default();
    for (_, range, by) in losses {
        edits.replace(range, by);
    }
    (edits, comments.len() as u64)
}

fn roles(tree: &Tree<'_>, own: &UserId) -> Vec<Role> {
    let mut roles = vec![Role::Anything; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        let is_comment = node.name == "comment" && matches!(node.value, Value::Branch);
        let (place, role) = match node.name.as_ref() {
            "comment" if is_comment => (index, Role::Others { author: None }),
            // Only comments have an author in these documents, whatever a front end calls them.
            "loginName" if same_person(text_of(node), own) => (node.parent, Role::Own),
            "loginName" => (
                node.parent,
                Role::Others {
                    author: Some(index),
                },
            ),
            _ => continue,
        };
        if let Some(known) = roles.get_mut(place) {
            *known = role;
        }
    }
    roles
}

/// Logins that differ only in case are one person's: platforms that distinguish them are rarer than people who type
/// their own name in another case.
fn same_person(author: &str, own: &UserId) -> bool {
    author.trim().to_lowercase() == own.as_str().trim().to_lowercase()
}

fn text_of<'t>(node: &'t Node<'_>) -> &'t str {
    match &node.value {
        Value::Leaf { text, .. } => text,
        Value::Branch => "",
    }
}

/// What stands in the place of a field of somebody else's comment, where it goes.
fn loss(tree: &Tree<'_>, node: &Node<'_>, author: &str) -> Option<&'static str> {
    let Value::Leaf { text, writing } = &node.value else {
        return None;
    };
    let (empty, other) = match writing {
        Writing::Text => ("", OTHER),
        Writing::Number => ("\"\"", "\"other\""),
        Writing::Literal => return None,
    };
    let name = node.name.as_ref();
    // Without a name: a remark or a text that stands between the fields.
    let is_words = WORDS.contains(&name) || name.is_empty();
    let of_another = is_words || (ADDRESSES.contains(&name) && names_another(text, author));
    match name {
        "loginName" => (text != OTHER).then_some(other),
        _ => (of_another && !tree.raw(node).is_empty()).then_some(empty),
    }
}

/// Whether an address is below a user, or holds the author's name.
fn names_another(address: &str, author: &str) -> bool {
    let author = author.trim().to_lowercase();
    let address = address.to_lowercase();
    address.contains("users/")
        || (!author.is_empty() && author != OTHER && address.contains(&author))
}

/// What the photos of other people lose: all texts, and the number that leads to them. The picture itself is never fetched.
fn photos(tree: &Tree<'_>, roles: &[Role]) -> Vec<Loss> {
    let mut holders: Vec<Option<usize>> = Vec::with_capacity(tree.nodes.len());
    let mut losses = Vec::new();
    for node in &tree.nodes {
        let is_others = matches!(roles.get(node.parent), Some(Role::Others { .. }));
        let holder = if is_others && node.name == "photo" {
            Some(node.parent)
        } else {
            holders.get(node.parent).copied().flatten()
        };
        holders.push(holder);
        if let Some((comment, by)) = holder.zip(loss_of_photo(node)) {
            losses.push((comment, node.range.clone(), by));
        }
    }
    losses
}

fn loss_of_photo(node: &Node<'_>) -> Option<&'static str> {
    let Value::Leaf { text, writing } = &node.value else {
        return None;
    };
    let is_number = node.name == "dbId" && text.trim() != "0" && !text.is_empty();
    let is_text = !node.range.is_empty() && !is_figure(text) && !is_enumerated(&node.name);
    match writing {
        Writing::Text | Writing::Number if is_number => Some("0"),
        Writing::Text if is_text => Some(""),
        Writing::Text | Writing::Number | Writing::Literal => None,
    }
}
