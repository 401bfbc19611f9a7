//! What a person can change when no request reaches the platform: the same words in every program.

use super::user_data::{ApiError, Distrust};

/// What helps where a server answers that is no UForge.
pub const API_URL: &str = "the URL should be the API's, as in `https://uforge.example.com/api`";

impl ApiError {
    /// What to change, in one line, where the address, the network, a proxy or TLS is the cause; `None` for what passes by
    /// itself, and for what the platform answered.
    pub fn remedy(&self) -> Option<String> {
        let words = match self {
            Self::Unreachable { .. } => {
                "check the URL and the network; HTTPS_PROXY and NO_PROXY are honoured"
            }
            Self::UnknownHost { .. } => {
                "check the host's name in the URL, and the network: a VPN may be off"
            }
            Self::ProxyUnreachable { .. } | Self::ProxyRefused { .. } => {
                "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names the proxy; hosts in NO_PROXY are reached without it"
            }
            Self::ProxyUnauthorized { .. } => {
                "put them into the variable of the proxy: `HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT`"
            }
            Self::NotHttp { .. } => {
                "check the port in the URL; mostly it is `https://uforge.example.com/api`"
            }
            Self::ClientCertificate { .. } => {
                "this program has none: use an address that wants none, or a proxy that presents one"
            }
            Self::NoCommonTls { .. } => {
                "an older server that knows no TLS 1.2 needs a proxy before it"
            }
            Self::Untrusted { distrust, .. } => of_distrust(*distrust),
            Self::NotUForge { .. } | Self::Unreadable { .. } | Self::Empty { .. } => API_URL,
            Self::Redirected { request, to } => {
                return Some(format!(
                    "if that is the platform, give `{}` as `--url`",
                    base_of(request, to)
                ));
            }
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Overloaded { .. }
            | Self::ServerFault { .. }
            | Self::NotOffered { .. }
            | Self::NoAnswer { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. }
            | Self::TooLarge { .. } => return None,
        };
        Some(words.to_owned())
    }
}

/// What helps against a certificate that is not trusted.
fn of_distrust(distrust: Distrust) -> &'static str {
    match distrust {
        Distrust::UnknownIssuer | Distrust::Other => {
            "`--cacert FILE` trusts the certificate in FILE"
        }
        Distrust::Expired => {
            "the server needs a new certificate, or this machine's clock is wrong; `--insecure` accepts any"
        }
        Distrust::NotValidYet => "check this machine's clock, and the server's certificate",
        Distrust::WrongHost => "give `--url` with the host's name that is in the certificate",
    }
}

/// The base URL in the address that a request was sent on to.
fn base_of<'a>(request: &str, to: &'a str) -> &'a str {
    let path = request.split_once(' ').map_or("", |(_, path)| path);
    let base = to.strip_suffix(path).unwrap_or(to);
    base.trim_end_matches('/')
}
