//! What an error has to name besides the request: who stands where.

/// The way that a request takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    /// Host and port of the platform.
    pub(crate) host: &'a str,
    /// Whether bytes to it are encrypted.
    pub(crate) is_tls: bool,
    /// Host and port of the proxy before it.
    pub(crate) proxy: Option<&'a str>,
    /// Whether a server has asked for a client certificate.
    pub(crate) asked_for_certificate: bool,
}
