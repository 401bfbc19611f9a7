//! A platform on a socket, the adapter that speaks to it, the real program as a child process, and its bags read back.

mod bag;
mod platform;
mod program;
mod run;
mod site;

pub use bag::Bag;
pub use platform::{api_for, order_for, start};
pub use program::{Child, Ended, Program, Signal};
pub use run::{open, settings};
pub use site::{Site, quick};
