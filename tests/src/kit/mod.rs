//! A platform on a socket and the adapter that speaks to it.

mod platform;
mod run;

pub use platform::{api_for, order_for, start};
pub use run::{open, settings};
