//! What the report says of an item's parts: how many are there, and what was refused. It is a note: nothing more is missing.

use std::fmt::Write as _;

use crate::model::{BagPath, PartRef};
use crate::ports::ApiError;

/// Refused parts that are named.
const NAMED: usize = 12;

#[derive(Default)]
pub(super) struct Account {
    documents: usize,
    files: usize,
    refused: Vec<String>,
    refusals: usize,
}

impl Account {
    pub(super) fn document(&mut self) {
        self.documents += 1;
    }

    pub(super) fn file(&mut self) {
        self.files += 1;
    }

    /// Takes note of what was refused: with its status where it has one, else in words.
    pub(super) fn refused(&mut self, part: PartRef, why: &str) {
        self.refusals += 1;
        if self.refused.len() < NAMED {
            self.refused
                .push(format!("{} ({why})", part.segments().join("/")));
        }
    }

    pub(super) fn in_words(&self, item: &str, folder: &BagPath, left: usize) -> String {
        let mut text = if self.documents + self.files == 0 {
            format!(
                "{item}: the platform can give no archive of it, and nothing of what it has below it"
            )
        } else {
            format!(
                "{item}: the platform can give no archive of it. What it gives of its parts is in `{folder}`: {} and {}",
                counted(self.documents, "document"),
                counted(self.files, "file"),
            )
        };
        if self.refusals > 0 {
            text.push_str("; refused: ");
            text.push_str(&self.refused.join(", "));
            let more = self.refusals - self.refused.len();
            if more > 0 {
                let _ = write!(text, " and {more} more");
            }
        }
        if left > 0 {
            let _ = write!(text, "; {left} more were not asked for");
        }
        text
    }
}

/// Why something was refused, as short as possible.
pub(super) fn why(error: &ApiError) -> String {
    match error.http_status() {
        Some(status) => status.to_string(),
        None => error.to_string(),
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}
