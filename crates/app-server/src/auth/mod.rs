//! Who a caller is: UForge credentials, checked against UForge and kept for a short time.

mod attempts;
mod basic;
mod expiring;
mod gate;

pub(crate) use basic::read as read_basic;
pub(crate) use gate::{Caller, Gate, Peer};
