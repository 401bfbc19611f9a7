//! What the adapter makes of every answer a server, a proxy or an enemy can give, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too")]

mod documents;
mod exports;
mod labels;
mod other_servers;
mod server;
mod sign_in;
mod signing;
mod tls;
mod transfer;
mod uploads;
