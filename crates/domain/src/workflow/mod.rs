//! The export workflow: selection → survey → plan → fetch → sink → report.
//!
//! [`export`] is the way in. `plan`, `item`, `schedule` and `retry` are plain functions of values; `survey`, `drive` and
//! `transfer` hold the awaiting and little thought. Concurrency is a set of futures inside one future: nothing is spawned.

mod limits;
mod plan;
mod run;

pub use limits::Limits;
pub use plan::{Plan, PlannedItem, PlannedSection, SectionPlan};
pub use run::{Ports, RunError, Withdrawal, export, plan, withdraw};
