//! The whole service over real sockets: a caller on one side, a sandbox as the UForge on the other.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]

mod attacks;
mod backup;
mod bag;
mod bench;
mod caller;
mod crowds;
mod demo;
mod exports;
mod exposure;
mod folder;
mod identity;
mod kills;
mod logs;
mod manager;
mod metrics;
mod page;
mod process;
mod promises;
mod receipts;
mod repeated;
mod resume;
mod sockets;
mod tls;
mod trouble;
