//! The import workflow: bag → lists → plan → ticket → upload → wait → result → delete: the mirror of the export.
//!
//! [`import`] is the way in. `plan`, `item`, `reference` and `found` decide: they are plain functions of values, time is an argument.
//! `lists`, `steps`, `upload`, `tickets` and `drive` await. Nothing is spawned: an import that is dropped stops at once, and what is
//! recorded is enough to resume it, or to [`abandon_import`] it.

mod context;
mod drive;
mod found;
mod item;
mod lists;
mod outcome;
mod plan;
mod reference;
mod run;
mod steps;
#[cfg(test)]
mod tests;
mod tickets;
mod upload;

pub use context::{ImportError, ImportPorts};
pub use outcome::{
    FailedObject, ImportOutcome, ImportStage, ImportedObject, ManualSection, SkippedObject,
};
pub use run::{import, plan_import};
pub use tickets::{AbandonedImport, abandon_import};
