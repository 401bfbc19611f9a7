//! Who a caller is: UForge credentials, checked against UForge and kept for a short time, or a session that began with them.

mod attempts;
mod basic;
mod cookie;
mod expiring;
mod gate;
mod origin;
mod sessions;
mod streams;

pub(crate) use basic::{read as read_basic, read_login};
pub(crate) use cookie::Token;
pub(crate) use cookie::{
    forget as forget_cookie, is_sent as is_cookie_sent, read as read_cookie, set as set_cookie,
};
pub(crate) use gate::{Caller, Gate, GateParts, Peer};
pub use origin::{Origin, OriginError};
pub(crate) use origin::{Sender, UnclearHost, is_browser, is_unsafe, sender};
pub(crate) use sessions::{
    MemorySessions, SESSION_TERMS, SessionKey, Sessions, SessionsError, SignedIn,
};
pub(crate) use streams::{PER_PERSON as STREAMS_PER_PERSON, StreamPermit};
