//! From items to archives in the bag: every item's machine at once, and what each came to.

mod notify;
mod polls;
mod prepare;
mod results;
mod schedule;
mod steps;
mod work;

pub(crate) use prepare::prepare_items;
pub(crate) use results::{enter_items, undeleted_of};
pub(crate) use schedule::drive;
pub(crate) use work::{Drive, ItemWork, machine_for};
