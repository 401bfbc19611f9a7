//! What has to be known before the first request: where, who, and whom to trust.

use std::fmt;
use std::time::Duration;

use domain::model::UserId;
use reqwest::Url;
use secrecy::SecretString;
use thiserror::Error;

/// Why a text is not the address of a UForge. A text that may hold a password is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("this is not a URL: it should look like `https://uforge.example.com/api`")]
    NotAUrl,
    /// Another scheme.
    #[error("`{scheme}:` is not supported: the URL has to begin with `https://` or `http://`")]
    Scheme {
        /// What it begins with.
        scheme: String,
    },
    /// User name or password inside the URL.
    #[error("the URL must not hold a user name or a password")]
    Credentials,
    /// `?…` or `#…` at its end.
    #[error("the URL must end with its path: no `?` and no `#`")]
    QueryOrFragment,
}

/// The base URL of a UForge, as in `https://uforge.example.com/api`: `http` or `https`, no credentials, no query.
///
/// A slash at its end makes no difference. Where it is the bare root of a host, the API is looked for with the first request: below
/// `/api`, where every UForge of these years has it, and else at the root itself.
///
/// ```
/// use adapters_http::BaseUrl;
/// assert_eq!(BaseUrl::parse("https://uforge.example.com/api/").unwrap().as_str(), "https://uforge.example.com/api");
/// assert!(BaseUrl::parse("ftp://uforge.example.com").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host: String,
    has_path: bool,
}

impl BaseUrl {
    /// Reads a base URL.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme {
                scheme: url.scheme().to_owned(),
            });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let host = url.host_str().ok_or(BaseUrlError::NotAUrl)?;
        let host = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let text = url.as_str().trim_end_matches('/').to_owned();
        let has_path = !url.path().trim_matches('/').is_empty();
        Ok(Self {
            text,
            host,
            has_path,
        })
    }

    /// The URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host, and port where one is given.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether bytes to it are encrypted.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    pub(crate) fn has_path(&self) -> bool {
        self.has_path
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Who authenticates, and how (docs/platform.md#authentication).
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Basic: the login and its password. Whose data is asked for is another matter.
    Password {
        /// The login that the password belongs to.
        login: String,
        /// Its password.
        password: SecretString,
    },
    /// UForge's supervisor mode: Basic as `LOGIN\UID` with the supervisor's password.
    Supervisor {
        /// The supervisor's login.
        login: String,
        /// The supervisor's password.
        password: SecretString,
    },
    /// An API key pair: every request is signed.
    ApiKey {
        /// The public key.
        public: String,
        /// The secret key.
        secret: SecretString,
    },
}

/// Which certificates are trusted.
#[derive(Clone, Default)]
pub enum TlsTrust {
    /// Those of the system.
    #[default]
    System,
    /// Those of the system, and those in this PEM text: as authorities, and as the server's own certificate.
    ExtraCa(Vec<u8>),
    /// Any at all.
    AcceptAny,
}

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::ExtraCa(pem) => write!(f, "ExtraCa({} bytes)", pem.len()),
            Self::AcceptAny => f.write_str("AcceptAny"),
        }
    }
}

/// Whether a proxy stands between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proxies {
    /// As `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say, in lower or upper case, read as curl reads them.
    #[default]
    FromEnvironment,
    /// Never.
    Direct,
}

/// Everything that [`UforgeApi`](crate::UforgeApi) is built from.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Where.
    pub base: BaseUrl,
    /// Whose data: the `{uid}` of every path.
    pub user: UserId,
    /// Who asks for it.
    pub credentials: Credentials,
    /// How long the server may send nothing.
    pub silence: Duration,
    /// Bytes that one document may have.
    pub document_limit_bytes: u64,
    /// Which certificates are trusted.
    pub trust: TlsTrust,
    /// Whether a proxy stands between.
    pub proxies: Proxies,
    /// The `User-Agent` of every request.
    pub user_agent: String,
}

/// Why no request can be made at all. Nothing was sent.
#[derive(Debug, Error)]
pub enum SetUpError {
    /// Basic authentication ends the login at its first colon (RFC 7617 §2).
    #[error("the login `{login}` cannot be sent: it holds a colon")]
    ColonInLogin {
        /// The login.
        login: String,
    },
    /// `.` and `..` cannot be a part of a URL path, in any spelling.
    #[error("the login `{login}` cannot be part of a URL")]
    DotLogin {
        /// The login.
        login: String,
    },
    /// The address has no host.
    #[error("the URL names no host")]
    NoHost,
    /// The environment names a proxy that is none.
    #[error(
        "the proxy in the environment variable {variable} cannot be used: it should look like `http://proxy.example.com:3128`"
    )]
    ProxyUrl {
        /// Which variable. Its value may hold a password.
        variable: &'static str,
    },
    /// A variable about proxies that is not text.
    #[error("the environment variable {variable} is not UTF-8")]
    ProxyNotUtf8 {
        /// Which variable.
        variable: &'static str,
    },
    /// The name of the program cannot be a header.
    #[error("`{user_agent}` cannot be sent as `User-Agent`")]
    UserAgent {
        /// What was given.
        user_agent: String,
    },
    /// No certificate in the PEM text, or one that cannot be read.
    #[error("the CA file holds no certificate in PEM form")]
    CaFile {
        /// What the reader said, where it said anything.
        #[source]
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// This machine has no certificate authorities to trust.
    #[error("no trusted certificate authorities were found on this machine")]
    NoCaStore {
        /// The system's word.
        #[source]
        source: rustls::Error,
    },
    /// The cipher suites at hand do not make a TLS client.
    #[error("could not set TLS up")]
    Tls {
        /// The library's word.
        #[source]
        source: rustls::Error,
    },
    /// The HTTP client could not be built.
    #[error("could not set the HTTP client up")]
    Client {
        /// The library's word.
        #[source]
        source: reqwest::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_kept_without_its_last_slash() {
        for (given, kept, host) in [
            (
                "https://uforge.example.com/api",
                "https://uforge.example.com/api",
                "uforge.example.com",
            ),
            (
                "http://host:9090/ufws/",
                "http://host:9090/ufws",
                "host:9090",
            ),
            (" HTTP://Host// ", "http://host", "host"),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080"),
        ] {
            let base = BaseUrl::parse(given).unwrap();
            assert_eq!((base.as_str(), base.host()), (kept, host), "{given}");
        }
        assert!(!BaseUrl::parse("http://host/").unwrap().has_path());
        assert!(BaseUrl::parse("http://host/api").unwrap().has_path());
    }

    #[test]
    fn what_is_not_a_base_url_is_refused_without_repeating_a_password() {
        for wrong in [
            "",
            "uforge.example.com",
            "ftp://host/",
            "https://",
            "https://h/api?x=1",
            "https://h/api#x",
            "https://john:hunter2@h/api",
            "hunter2@h",
            "http://john:hunter2@[",
        ] {
            let error = BaseUrl::parse(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn settings_can_be_printed_without_their_secrets() {
        let settings = ApiSettings {
            base: BaseUrl::parse("http://h").unwrap(),
            user: UserId::parse("john").unwrap(),
            credentials: Credentials::Password {
                login: "john".to_owned(),
                password: "hunter2".into(),
            },
            silence: Duration::from_secs(1),
            document_limit_bytes: 1,
            trust: TlsTrust::ExtraCa(b"pem".to_vec()),
            proxies: Proxies::Direct,
            user_agent: "t".to_owned(),
        };
        let text = format!("{settings:?}");
        assert!(
            text.contains("john") && text.contains("ExtraCa(3 bytes)") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
