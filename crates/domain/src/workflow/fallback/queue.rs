//! The parts of one item that are still to be asked for, each once.

use std::collections::{BTreeSet, VecDeque};

use super::addresses::Wanted;
use crate::model::PartRef;
use crate::workflow::Limits;

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Wanted>,
    known: BTreeSet<PartRef>,
    left: usize,
}

impl Queue {
    /// Takes parts in that are not known yet, up to the limit.
    pub(super) fn extend(&mut self, parts: Vec<Wanted>) {
        for wanted in parts {
            if self.known.contains(&wanted.part) {
                continue;
            }
            if self.known.len() >= Limits::PARTS {
                self.left += 1;
                continue;
            }
            self.known.insert(wanted.part);
            self.waiting.push_back(wanted);
        }
    }

    pub(super) fn next(&mut self) -> Option<Wanted> {
        self.waiting.pop_front()
    }

    /// Parts that are not asked for because there are too many.
    pub(super) fn left(&self) -> usize {
        self.left
    }
}
