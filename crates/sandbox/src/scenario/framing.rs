//! How the end of an answer is marked.

use serde::Deserialize;

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// `Content-Length`.
    #[default]
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// `Connection: close` and nothing else: the end of the connection is the end of the body.
    Close,
}
