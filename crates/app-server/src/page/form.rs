//! The part of a form that every order has: what is in it, and how.

use domain::model::{BagFormat, Section};
use serde_json::{Map, Value};

use super::words::{About, Words};
use crate::problem::Problem;

/// A kind of data to choose.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) about: About,
}

/// A format to choose.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) is_usual: bool,
}

pub(super) fn kinds(words: &Words) -> Vec<Kind> {
    let kind = |section: Section| Kind {
        name: section.name(),
        about: (words.section)(section),
    };
    Section::ALL.map(kind).into()
}

pub(super) fn formats(words: &Words) -> Vec<Format> {
    let format = |format: BagFormat| Format {
        name: format.ending(),
        text: (words.format)(format),
        is_usual: format == BagFormat::default(),
    };
    [BagFormat::Zip, BagFormat::Tar, BagFormat::TarGz]
        .map(format)
        .into()
}

/// What was filled in, in the words of the interface.
#[derive(Default)]
pub(super) struct Fields {
    order: Map<String, Value>,
    chosen: Vec<Value>,
    only_some: bool,
}

impl Fields {
    /// Takes a field; one that no form has is [`Problem::InvalidForm`].
    pub(super) fn take(&mut self, name: &str, value: String) -> Result<(), Problem> {
        match (name, value.as_str()) {
            ("what", "everything") => self.only_some = false,
            ("what", "some") => self.only_some = true,
            ("include", _) => self.chosen.push(Value::from(value)),
            ("format", _) => {
                self.order.insert(name.to_owned(), Value::from(value));
            }
            ("redact_secrets", "true") => {
                self.order.insert(name.to_owned(), Value::from(true));
            }
            _ => return Err(Problem::InvalidForm),
        }
        Ok(())
    }

    /// The fields of an order. What was chosen before the person decided for everything does not count.
    pub(super) fn into_order(mut self) -> Map<String, Value> {
        if self.only_some {
            let chosen = Value::from(self.chosen);
            self.order.insert("include".to_owned(), chosen);
        }
        self.order
    }
}
