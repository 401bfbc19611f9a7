//! The export workflow: selection → survey → plan → fetch → sink → report.
//!
//! [`export`] is the way in. `item` and `retry` are plain functions of values: time is an argument and nothing is awaited.
//! `survey`, `fetch`, `drive` and `transfer` hold the awaiting and little thought. Concurrency is a set of futures inside one
//! future: nothing is spawned, so a run that is dropped stops at once and leaks nothing.

mod against;
mod drive;
mod fetch;
#[cfg(test)]
mod first_requests_tests;
mod item;
mod ledger;
mod limits;
mod pages;
mod patience;
mod plan;
mod recount;
mod retry;
mod run;
mod second_look;
mod set_up;
mod survey;
#[cfg(test)]
mod tests;
mod tickets;
mod transfer;
mod twins;

pub use against::{Against, against};
pub use limits::Limits;
pub use plan::{Plan, PlannedItem, PlannedSection, SectionPlan, plan};
pub use run::{Ports, RunError, export};
pub use tickets::{Abandoned, abandon};
