//! XML as a tree of names and texts with their places.

use std::borrow::Cow;
use std::ops::Range;

use roxmltree::{Document, NodeType, ParsingOptions};

use super::document::{Flaw, MOST_NODES, Node, Tree, Value, Writing};

/// Reads a document. DTDs are refused, so nothing in it expands.
pub(super) fn read(source: &str) -> Result<Tree<'_>, Flaw> {
    let options = ParsingOptions {
        nodes_limit: u32::try_from(MOST_NODES).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(source, options).map_err(|error| flaw(&error))?;
    let mut reader = Reader {
        tree: Tree::new(source),
        places: Vec::new(),
    };
    for node in document.descendants() {
        reader.expect(node);
    }
    for node in document.descendants() {
        reader.enter(node)?;
    }
    Ok(reader.tree)
}

/// The place of a flaw; the parser's own words could repeat the document's.
fn flaw(error: &roxmltree::Error) -> Flaw {
    let place = error.pos();
    Flaw(match error {
        roxmltree::Error::DtdDetected => "it holds a DOCTYPE, which is not accepted".to_owned(),
        roxmltree::Error::NodesLimitReached => format!("it holds more than {MOST_NODES} values"),
        _ => format!(
            "it is not well-formed XML (line {}, column {})",
            place.row, place.col
        ),
    })
}

struct Reader<'a> {
    tree: Tree<'a>,
    /// By the parser's number of each node.
    places: Vec<Place>,
}

/// What is known of an element of the document.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Where in the tree it went.
    index: usize,
    /// Whether elements are in it.
    has_elements: bool,
}

impl<'a> Reader<'a> {
    /// Notes which elements hold elements: asked of every text, that must not cost a walk.
    fn expect(&mut self, node: roxmltree::Node<'_, 'a>) {
        self.places.push(Place::default());
        if let Some(parent) = node.parent_element().filter(|_| node.is_element())
            && let Some(place) = self.places.get_mut(parent.id().get_usize())
        {
            place.has_elements = true;
        }
    }

    fn place(&self, node: roxmltree::Node<'_, 'a>) -> Place {
        let index = node.id().get_usize();
        self.places.get(index).copied().unwrap_or_default()
    }

    /// The place of the element that holds a node; of nothing outside the root element.
    fn holder(&self, node: roxmltree::Node<'_, 'a>) -> Option<Place> {
        node.parent_element().map(|parent| self.place(parent))
    }

    fn enter(&mut self, node: roxmltree::Node<'_, 'a>) -> Result<(), Flaw> {
        match node.node_type() {
            NodeType::Element => self.element(node),
            NodeType::Comment => self.anonymous(node, inside(&node.range(), 4, 3)),
            NodeType::PI => self.anonymous(node, inside(&node.range(), target_end(node), 2)),
            NodeType::Text if self.holder(node).is_some_and(|of| of.has_elements) => {
                if node.text().is_some_and(|text| text.trim().is_empty()) {
                    return Ok(());
                }
                let range = between_neighbours(self.tree.source, node);
                self.anonymous(node, range)
            }
            // The text of an element without elements belongs to that element.
            NodeType::Text | NodeType::Root => Ok(()),
        }
    }

    fn element(&mut self, node: roxmltree::Node<'_, 'a>) -> Result<(), Flaw> {
        let range = content_range(self.tree.source, &node.range());
        let value = if self.place(node).has_elements {
            Value::Branch
        } else {
            Value::Leaf {
                text: text_of(
                    node,
                    self.tree.source.get(range.clone()).unwrap_or_default(),
                ),
                writing: Writing::Text,
            }
        };
        let place = self.tree.push(Node {
            parent: self.holder(node).unwrap_or_default().index,
            name: Cow::Borrowed(node.tag_name().name()),
            value,
            range,
        })?;
        if let Some(known) = self.places.get_mut(node.id().get_usize()) {
            known.index = place;
        }
        for attribute in node
            .attributes()
            .filter(|attribute| attribute.namespace().is_none())
        {
            self.tree.push(Node {
                parent: place,
                name: Cow::Owned(attribute.name().to_owned()),
                value: Value::Leaf {
                    text: Cow::Owned(attribute.value().to_owned()),
                    writing: Writing::Text,
                },
                range: attribute.range_value(),
            })?;
        }
        Ok(())
    }

    fn anonymous(
        &mut self,
        node: roxmltree::Node<'_, 'a>,
        range: Range<usize>,
    ) -> Result<(), Flaw> {
        // Within an element whose whole content is one value already, it would be looked at twice.
        let holder = self.holder(node);
        if holder.is_some_and(|holder| !holder.has_elements) {
            return Ok(());
        }
        let text = match node.node_type() {
            NodeType::Text => Cow::Owned(node.text().unwrap_or_default().to_owned()),
            _ => Cow::Borrowed(self.tree.source.get(range.clone()).unwrap_or_default()),
        };
        let parent = holder.unwrap_or_default().index;
        self.tree
            .push(Node {
                parent,
                name: Cow::Borrowed(""),
                value: Value::Leaf {
                    text,
                    writing: Writing::Text,
                },
                range,
            })
            .map(drop)
    }
}

/// All that an element without elements says: its texts, and its comments where it has some.
fn text_of<'a>(node: roxmltree::Node<'_, 'a>, raw: &'a str) -> Cow<'a, str> {
    if !raw.contains(['<', '&', '\r']) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(node.children().filter_map(|child| child.text()).collect())
}

/// The bytes between an element's tags; an empty range at its end where it has only one.
fn content_range(source: &str, element: &Range<usize>) -> Range<usize> {
    let none = element.end..element.end;
    let Some(text) = source.get(element.clone()) else {
        return none;
    };
    let Some(start) = end_of_start_tag(text.as_bytes()) else {
        return none;
    };
    match text.rfind("</") {
        Some(end) if end >= start && !text[..start].ends_with("/>") => {
            element.start + start..element.start + end
        }
        _ => none,
    }
}

/// Where a start tag ends: at the first `>` that stands in no attribute's value (XML 1.0 §3.1).
fn end_of_start_tag(element: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in element.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(index + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), close) if open == *close => quote = None,
            _ => {}
        }
    }
    None
}

/// A text may be written in pieces (references, CDATA), of which the parser gives only one range: what its neighbours leave.
fn between_neighbours(source: &str, node: roxmltree::Node<'_, '_>) -> Range<usize> {
    let around = node
        .parent_element()
        .map(|parent| content_range(source, &parent.range()))
        .unwrap_or_default();
    let start = node
        .prev_sibling()
        .map_or(around.start, |before| before.range().end);
    let end = node
        .next_sibling()
        .map_or(around.end, |after| after.range().start);
    start..end.max(start)
}

/// Where the target of a processing instruction ends: without one it would be no instruction (XML 1.0 §2.6).
fn target_end(node: roxmltree::Node<'_, '_>) -> usize {
    2 + node.pi().map_or(0, |instruction| instruction.target.len())
}

fn inside(range: &Range<usize>, opening: usize, closing: usize) -> Range<usize> {
    let start = range.start + opening;
    start..range.end.saturating_sub(closing).max(start)
}
