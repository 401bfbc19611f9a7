//! The whole service over real sockets: a caller on one side, a sandbox as the UForge on the other.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]

mod bag;
mod bench;
mod caller;
mod crowds;
mod exports;
mod identity;
mod page;
mod process;
mod resume;
mod sockets;
mod trouble;
