//! What is shown of one object: its values under their labels, nested ones as lists and tables, within bounds that a page can bear.

use std::collections::{BTreeSet, HashMap};

use super::fields::is_shown;
use super::labels::label;
use super::value::{Words, instant, words};
use crate::model::Secrets;
use crate::redact::{SecretValue, Shown, ShownDocument};
use crate::report::visible;

/// What stands deeper is in the file.
const DEEPEST: usize = 10;
/// A table with more columns does not fit on a phone.
const MOST_COLUMNS: usize = 4;
/// What a field costs of the budget beside its text: the markup around it.
const FIELD_COST: usize = 64;
/// Fields that name an object, the best first.
const NAMES: [&str; 9] = [
    "name",
    "fullName",
    "displayName",
    "objectName",
    "formatName",
    "title",
    "applianceName",
    "loginName",
    "type",
];
const IDS: [&str; 2] = ["dbId", "applicationId"];
const VERSIONS: [&str; 3] = ["version", "applianceVersion", "bundleVersion"];

/// A value under its label.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) label: String,
    pub(super) shape: Shape,
}

/// What a field holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One text.
    Value(Words),
    /// Several texts.
    Texts(Vec<Words>),
    /// A secret, and what may be said of it.
    Secret(Secret),
    /// One object.
    Nested(Vec<Field>),
    /// Several objects that have few values each.
    Table(Table),
    /// Several objects.
    Several(Vec<Vec<Field>>),
    /// What is too deep to be shown.
    Deeper,
}

/// What may be said of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    There,
    Blanked,
    Absent,
}

/// Objects one below the other, their fields side by side.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    /// A cell is `None` where the object does not have the field.
    pub(super) rows: Vec<Vec<Option<Shape>>>,
}

/// One object as it is shown.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) number: Option<String>,
    /// When it was created, as its document says.
    pub(super) created: Option<jiff::Timestamp>,
    pub(super) fields: Vec<Field>,
    /// Whether there is more than is shown.
    pub(super) is_cut: bool,
}

/// Reads an object; about as many bytes of it as `budget` says. `secrets` says what became of those in its document.
pub(super) fn read(
    document: &ShownDocument<'_>,
    secrets: Secrets,
    node: usize,
    budget: usize,
) -> Object {
    let mut reader = Reader {
        document,
        secrets,
        left: budget,
        is_cut: false,
    };
    let first = |names: &[&str]| names.iter().find_map(|name| leaf(document, node, name));
    let created = leaf(document, node, "created").and_then(|text| instant(&text));
    let fields = reader.fields(node, 0);
    Object {
        name: first(&NAMES).map(|name| short(&name)),
        version: first(&VERSIONS).map(|version| short(&version)),
        number: number(document, node),
        created,
        fields,
        is_cut: reader.is_cut,
    }
}

/// The number by which the platform knows an object.
pub(super) fn number(document: &ShownDocument<'_>, node: usize) -> Option<String> {
    let found = IDS.iter().find_map(|name| leaf(document, node, name))?;
    Some(short(&found))
}

fn leaf(document: &ShownDocument<'_>, node: usize, name: &str) -> Option<String> {
    let mut children = document.children(node);
    let child = children.find(|child| document.name(*child) == name)?;
    match document.value(child) {
        Shown::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// A name in a heading.
fn short(text: &str) -> String {
    const LONGEST_CHARACTERS: usize = 200;
    let mut shown: String = visible(text).chars().take(LONGEST_CHARACTERS).collect();
    if text.chars().nth(LONGEST_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

struct Reader<'d, 't> {
    document: &'d ShownDocument<'t>,
    secrets: Secrets,
    left: usize,
    is_cut: bool,
}

impl<'d> Reader<'d, '_> {
    fn fields(&mut self, node: usize, depth: usize) -> Vec<Field> {
        let mut fields = Vec::new();
        for (name, nodes) in self.groups(node) {
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
            if let Some(shape) = self.shape(name, node, &nodes, depth) {
                let label = label(name);
                self.spend(label.len() + FIELD_COST);
                fields.push(Field { label, shape });
            }
        }
        fields
    }

    /// What a node holds, by name: its own name, then all others in the order in which each comes first.
    fn groups(&self, node: usize) -> Vec<(&'d str, Vec<usize>)> {
        let document: &'d ShownDocument<'_> = self.document;
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for child in document.children(node) {
            let name = document.name(child);
            if !is_shown(name) || document.is_remark(child) {
                continue;
            }
            let place = *places.entry(name).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, nodes)) => nodes.push(child),
                None => groups.push((name, vec![child])),
            }
        }
        // What every object has, and nobody looks for first, comes last.
        groups.sort_by_key(|(name, _)| match *name {
            "name" => 0,
            "created" | "lastModified" | "dbId" => 2,
            _ => 1,
        });
        groups
    }

    fn shape(&mut self, name: &str, holder: usize, nodes: &[usize], depth: usize) -> Option<Shape> {
        if let Some(secret) = self.secret(nodes) {
            return Some(Shape::Secret(secret));
        }
        if nodes.iter().any(|node| self.document.is_branch(*node)) {
            return self.nested(nodes, depth);
        }
        let parent = self.document.name(holder);
        let mut texts = Vec::new();
        for node in nodes {
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
            let Shown::Text(text) = self.document.value(*node) else {
                continue;
            };
            if text.trim().is_empty() {
                continue;
            }
            let words = words(name, parent, &text);
            self.is_cut |= words.is_cut;
            self.spend(words.text.len() + words.machine.len() + FIELD_COST / 2);
            texts.push(words);
        }
        if texts.len() > 1 {
            return Some(Shape::Texts(texts));
        }
        texts.pop().map(Shape::Value)
    }

    /// What may be said of these, where one is secret.
    fn secret(&self, nodes: &[usize]) -> Option<Secret> {
        let found = nodes
            .iter()
            .filter_map(|node| match self.document.value(*node) {
                Shown::Secret(value) => Some(value),
                _ => None,
            });
        Some(match found.max()? {
            SecretValue::There => Secret::There,
            SecretValue::Empty if self.secrets == Secrets::Redact => Secret::Blanked,
            SecretValue::Empty | SecretValue::Absent => Secret::Absent,
        })
    }

    fn nested(&mut self, nodes: &[usize], depth: usize) -> Option<Shape> {
        if depth >= DEEPEST {
            self.is_cut = true;
            return Some(Shape::Deeper);
        }
        if let [wrapper] = nodes {
            let groups = self.groups(*wrapper);
            if let [(name, inside)] = groups.as_slice()
                && (inside.len() > 1 || inside.iter().all(|node| self.document.is_branch(*node)))
            {
                // A wrapper, as lists have one: what counts is what it holds.
                return self.shape(name, *wrapper, inside, depth + 1);
            }
            let fields = self.fields(*wrapper, depth + 1);
            return (!fields.is_empty()).then_some(Shape::Nested(fields));
        }
        let mut several = Vec::new();
        for node in nodes {
            if self.left == 0 {
                self.is_cut = true;
                break;
            }
            let fields = self.fields(*node, depth + 1);
            if !fields.is_empty() {
                several.push(fields);
            }
        }
        if several.len() == 1 {
            return several.pop().map(Shape::Nested);
        }
        (!several.is_empty()).then(|| tabulated(several))
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

fn is_flat(shape: &Shape) -> bool {
    const LONGEST_BYTES: usize = 200;
    match shape {
        Shape::Value(words) => words.text.len() <= LONGEST_BYTES,
        Shape::Secret(_) => true,
        _ => false,
    }
}

/// Objects as a table, where that is narrow enough.
fn tabulated(several: Vec<Vec<Field>>) -> Shape {
    let mut columns: Vec<String> = Vec::new();
    for fields in &several {
        let mut labels = BTreeSet::new();
        for field in fields {
            if !columns.contains(&field.label) {
                columns.push(field.label.clone());
            }
            // Two fields may be called the same.
            let is_once = labels.insert(&field.label);
            if !is_once || !is_flat(&field.shape) || columns.len() > MOST_COLUMNS {
                return Shape::Several(several);
            }
        }
    }
    let rows = several.into_iter().map(|fields| {
        let mut row: Vec<Option<Shape>> = columns.iter().map(|_| None).collect();
        for field in fields {
            let place = columns.iter().position(|column| *column == field.label);
            if let Some(cell) = place.and_then(|place| row.get_mut(place)) {
                *cell = Some(field.shape);
            }
        }
        row
    });
    Shape::Table(Table {
        rows: rows.collect(),
        columns,
    })
}
