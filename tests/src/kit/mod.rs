//! A platform on a socket, the adapter that speaks to it, a run over both and what should have come of it, the real program as a
//! child process, and its bags read back.

mod bag;
mod clock;
mod key;
mod payload;
mod platform;
mod program;
mod run;
mod signer;
mod site;
mod visit;

pub use bag::Bag;
pub use clock::HastyClock;
pub use fleet_load::{Postgres, S3};
pub use key::Key;
pub use payload::{Payload, expected_of};
pub use platform::{api_for, order_for, settings_at, settings_for, small, start};
pub use program::{Child, Ended, Program, Signal, Words};
pub use run::{open, settings};
pub use signer::Signer;
pub use site::{Site, quick};
pub use visit::{Visit, Visited};
