//! Who a caller is: UForge credentials, checked against UForge and remembered for a short time.

mod attempts;
mod basic;
mod expiring;
mod gate;

pub(crate) use gate::{Caller, Gate, Peer};
