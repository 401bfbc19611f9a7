//! What the adapter makes of every answer a server, a proxy or an enemy can give, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]

mod documents;
mod exports;
mod server;
mod signing;
mod tls;
mod transfer;
