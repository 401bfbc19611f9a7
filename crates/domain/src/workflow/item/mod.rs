//! One item's export as a machine over values: no ports, no `async`, time as an argument.
//!
//! ```text
//! queued → starting → waiting ⇄ polling → ready → downloading → stored → deleting → done
//!             │ ↺        │          ↑       ↑ ↓ ↺
//!          doubtful   stalled     refused  damaged              any → failed
//!                        ↓                  ↓
//!                    cancelling → replacing → queued
//! ```
//!
//! The machine never lets a ticket be deleted whose archive could still be had and is not safe: see [`Deletion`].

mod download;
mod ending;
mod machine;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use machine::Item;
pub use start::start_may_have_worked;
pub(crate) use state::{Action, Ambiguity, Deletion, ItemFailure, Others, Seen};
