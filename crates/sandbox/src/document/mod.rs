//! Documents as values: one tree, from which both representations are made.
//!
//! UForge sends every object as XML and as JSON. Here both are renderings of one [`Element`], so that they cannot disagree.
//! The tree knows nothing of UForge's types; who builds one keeps to the order of the schema, base types first.

mod json;
mod xml;

use std::borrow::Cow;
use std::fmt;

pub(crate) use json::render_json;
pub(crate) use xml::render_xml;

/// One element of a document: a name, perhaps the concrete type of a polymorphic element, and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Element {
    name: Cow<'static, str>,
    concrete_type: Option<&'static str>,
    content: Content,
}

/// What an [`Element`] holds. The leaves are typed because JSON writes numbers and booleans otherwise than text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Text(String),
    /// Text that redaction has to find.
    Secret(Secret),
    Number(i64),
    Decimal(f64),
    Flag(bool),
    Object(Vec<Element>),
    /// Elements of one name, which JSON shows as an array even where it is empty.
    List {
        item: &'static str,
        items: Vec<Element>,
    },
}

/// A text that a `Debug` print does not show.
#[derive(Clone, PartialEq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Element {
    fn new(name: impl Into<Cow<'static, str>>, content: Content) -> Self {
        Self {
            name: name.into(),
            concrete_type: None,
            content,
        }
    }

    pub(crate) fn object(name: impl Into<Cow<'static, str>>, children: Vec<Element>) -> Self {
        Self::new(name, Content::Object(children))
    }

    /// An element that holds `items`, each of which takes the name `item`.
    pub(crate) fn list(name: &'static str, item: &'static str, mut items: Vec<Element>) -> Self {
        for element in &mut items {
            element.name = Cow::Borrowed(item);
        }
        Self::new(name, Content::List { item, items })
    }

    /// A `UriList`.
    pub(crate) fn uris(name: &'static str, uris: Vec<String>) -> Self {
        Self::list(
            name,
            "uri",
            uris.into_iter().map(|uri| text("uri", uri)).collect(),
        )
    }

    pub(crate) fn with_type(mut self, concrete_type: &'static str) -> Self {
        self.concrete_type = Some(concrete_type);
        self
    }

    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Cow::Borrowed(name);
        self
    }

    pub(crate) fn children(&self) -> &[Element] {
        match &self.content {
            Content::Object(children)
            | Content::List {
                items: children, ..
            } => children,
            _ => &[],
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children().iter().find(|child| child.name == name)
    }

    /// The leaf's value as XML writes it.
    pub(crate) fn value(&self) -> Option<Cow<'_, str>> {
        match &self.content {
            Content::Text(text) => Some(Cow::Borrowed(text)),
            Content::Secret(secret) => Some(Cow::Borrowed(secret.reveal())),
            Content::Number(number) => Some(Cow::Owned(number.to_string())),
            Content::Decimal(decimal) => Some(Cow::Owned(format!("{decimal:?}"))),
            Content::Flag(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Content::Object(_) | Content::List { .. } => None,
        }
    }

    pub(crate) fn child_number(&self, name: &str) -> Option<i64> {
        match self.child(name)?.content {
            Content::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Replaces, adds in front of everything else, or (with `None`) removes the child of this name.
    pub(crate) fn set_child(&mut self, name: &'static str, value: Option<Element>) {
        let Content::Object(children) = &mut self.content else {
            return;
        };
        let place = children.iter().position(|child| child.name == name);
        match (place, value) {
            (Some(place), Some(value)) => children[place] = value,
            (Some(place), None) => {
                children.remove(place);
            }
            (None, Some(value)) => children.insert(0, value),
            (None, None) => {}
        }
    }

    /// Calls `visit` for this element and everything below it.
    pub(crate) fn visit_mut(&mut self, visit: &mut impl FnMut(&mut Element)) {
        visit(self);
        if let Content::Object(children)
        | Content::List {
            items: children, ..
        } = &mut self.content
        {
            for child in children {
                child.visit_mut(visit);
            }
        }
    }

    /// Adds every secret text of this tree to `found`.
    pub(crate) fn collect_secrets(&self, found: &mut Vec<String>) {
        if let Content::Secret(secret) = &self.content {
            found.push(secret.reveal().to_owned());
        }
        for child in self.children() {
            child.collect_secrets(found);
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.content, Content::Secret(_))
    }

    pub(crate) fn concrete_type(&self) -> Option<&'static str> {
        self.concrete_type
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn set_text(&mut self, value: String) {
        self.content = Content::Text(value);
    }
}

/// A leaf of text. What XML 1.0 cannot carry becomes U+FFFD, so that both representations say the same.
pub(crate) fn text(name: &'static str, value: impl Into<String>) -> Element {
    Element::new(name, Content::Text(carriable(value.into())))
}

pub(crate) fn secret(name: &'static str, value: impl Into<String>) -> Element {
    Element::new(name, Content::Secret(Secret(carriable(value.into()))))
}

pub(crate) fn number(name: &'static str, value: i64) -> Element {
    Element::new(name, Content::Number(value))
}

pub(crate) fn decimal(name: &'static str, value: f64) -> Element {
    Element::new(name, Content::Decimal(value))
}

pub(crate) fn flag(name: &'static str, value: bool) -> Element {
    Element::new(name, Content::Flag(value))
}

/// The `Char` production of XML 1.0 §2.2.
fn carriable(value: String) -> String {
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}');
    if value.contains(forbidden) {
        value.replace(forbidden, "\u{FFFD}")
    } else {
        value
    }
}

#[cfg(test)]
mod tests;
