//! A platform of values: items whose exports take simulated time, and faults on order.

mod api;
mod call;
mod fake;
mod item;
mod state;

pub use call::{Call, Script};
pub use fake::FakePlatform;
pub use item::{FakeItem, gzip};
