//! The ports of a user's data and of their imports over the REST interface of UForge AppCenter.
//!
//! One call of the port is one attempt over HTTP/1.1: nothing in here sleeps or tries again, follows a redirect or keeps a cookie.
//! What comes back is either the bytes that the platform sent, unpacked where a front end has compressed them on the way, with the
//! facts read from them, or an [`ApiError`](domain::ports::ApiError) that says by meaning what happened. Every wait and every buffer is bounded, whatever the
//! server does.
//!
//! Read [`UforgeApi`] first.

mod api;
mod auth;
mod body;
mod config;
mod download;
mod files;
mod imports;
mod outgoing;
mod paths;
mod people;
mod platform_request;
mod proxies;
mod sign_in;
mod starts;
#[cfg(feature = "testing")]
pub mod testing;
mod ticket_list;
mod tls;
mod transport;
mod unkept;
mod wire;

pub use api::UforgeApi;
pub use config::{ApiSettings, BaseUrl, BaseUrlError, Credentials, Proxies, SetUpError, TlsTrust};
pub use people::People;
pub use starts::TrackedStarts;
