//! One item's import as a machine over values: no ports, no `async`, time as an argument.
//!
//! ```text
//! queued → opening → holding → uploading → waiting → asking → deleting → finished
//!    ↑        │ ↺        ↑          │          │         │
//!    │   unanswered ─────┘       unsure    looking up ───┤
//!    │                              │          │         any → failed
//!    └────────── deleting ←─────────┴──────────┘
//! ```
//!
//! An archive is sent again only after the platform's list has shown that the object is not there, and only on a new ticket, once the
//! old one is gone.

mod ending;
mod machine;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use machine::Item;
pub(crate) use state::{Action, Live, Seen};
