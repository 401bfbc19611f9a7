//! What went wrong, by meaning: the one module that turns statuses and the HTTP library's errors into [`ApiError`].
//!
//! [`ApiError`]: domain::ports::ApiError

mod causes;
mod connection;
mod message;
mod no_answer;
mod refusal;
mod tls;
mod way;

pub(super) use message::plain;
pub(crate) use no_answer::{broken_body, no_answer};
pub(crate) use refusal::{LONGEST_REFUSAL, http_date, refusal};
pub(crate) use way::Way;

#[cfg(test)]
mod tests;
