//! The whole service over real sockets: a caller on one side, a sandbox as the UForge on the other.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]

mod attacks;
mod bag;
mod bench;
mod caller;
mod crowds;
mod exports;
mod identity;
mod kills;
mod process;
mod promises;
mod resume;
mod sockets;
mod trouble;
