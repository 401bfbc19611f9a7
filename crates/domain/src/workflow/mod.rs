//! The export workflow: selection → survey → plan → fetch → sink → report.
//!
//! [`export`] is the way in. `item`, `retry`, `ledger` and `tickets::ownership` decide: they are plain functions of values, time is
//! an argument and nothing is awaited. `survey`, `fetch`, `drive` and `transfer` await. Concurrency is a set of futures inside one
//! future: nothing is spawned, so a run that is dropped stops at once and leaks nothing.

mod against;
mod attempt;
mod context;
mod copies;
mod drive;
mod fallback;
mod fetch;
#[cfg(test)]
mod first_requests_tests;
mod greet;
mod import;
mod item;
mod json;
mod ledger;
mod limits;
mod outage;
mod own_files;
mod pace;
mod pages;
mod plan;
mod recount;
mod resumed;
mod retry;
mod reused;
mod run;
mod since;
mod survey;
#[cfg(test)]
mod tests;
mod tickets;
mod transfer;
mod usual;

pub use against::{Against, against};
pub use context::{Ports, RunError};
pub use import::{
    AbandonedImport, FailedObject, ImportError, ImportOutcome, ImportPorts, ImportStage,
    ImportedObject, ManualSection, SkippedObject, abandon_import, import, plan_import,
};
pub use item::start_may_have_worked;
pub use limits::Limits;
pub use plan::{Plan, PlannedItem, PlannedSection, SectionPlan, plan, plan_since};
pub use run::{Known, export, export_knowing, export_since};
pub use since::{Changed, Earlier, EarlierBagError, Since, read_earlier};
pub use tickets::{Abandoned, Unresolved, abandon, record_answers, stop_and_delete};
pub use usual::ExportTimes;
