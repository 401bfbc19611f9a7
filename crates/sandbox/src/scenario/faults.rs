//! Everything that can go wrong, as data.
//!
//! An [`ItemFault`] belongs to one appliance or bundle, a [`RequestFault`] to the requests that match a pattern. What strikes at
//! random, and data that changes while it is read, is beside it.

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::framing::Framing;
use super::request::RequestPattern;

/// How often something goes wrong before it works: a number, or `"always"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The first so many times.
    First(u32),
    /// Every time.
    Always,
}

impl Times {
    /// Whether the `nth` time, counted from one, is among them.
    pub(crate) fn cover(self, nth: u32) -> bool {
        match self {
            Self::First(times) => nth <= times,
            Self::Always => true,
        }
    }

    const fn once() -> Self {
        Self::First(1)
    }

    const fn always() -> Self {
        Self::Always
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimesVisitor;
        impl Visitor<'_> for TimesVisitor {
            type Value = Times;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a number of times or \"always\"")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Times, E> {
                u32::try_from(value).map(Times::First).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Times, E> {
                u32::try_from(value).map(Times::First).map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Times, E> {
                if value == "always" {
                    Ok(Times::Always)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(value), &self))
                }
            }
        }
        deserializer.deserialize_any(TimesVisitor)
    }
}

/// What goes wrong with one appliance or bundle.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum ItemFault {
    /// Starting its export is refused.
    StartRefused {
        /// The HTTP status, such as the 500 of an appliance without OS profile.
        status: u16,
        /// How many starts.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// Its export ends without an archive.
    Ends {
        /// How.
        how: Ending,
        /// How many of its exports.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// Its export never ends, and keeps its slot.
    NeverCompletes {
        /// How many of its exports.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// Its export works, but the percentage is odd.
    Shows(Shown),
    /// Its archive arrives damaged.
    Archive {
        /// In which way.
        damage: Damage,
        /// How many of its downloads.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// Each of its archives can be asked for once; afterwards the ticket answers 404.
    SingleDownload,
    /// An account whose secrets the platform does not have any more.
    SecretsMissing,
}

/// How an export ends that has no archive.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// `error`.
    Error,
    /// `error` and `complete` at the same time.
    ErrorAndComplete,
    /// `error` with `detailedError` and its long message.
    DetailedError,
    /// `cancelled`, by somebody else.
    Cancelled,
}

/// Which percentage an export shows while it runs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Always this one, such as 10 or -1.
    Stuck(i64),
    /// From high to low.
    Backwards,
    /// None: the field is absent.
    Nothing,
}

/// In which way a body arrives damaged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Damage {
    /// One bit of the byte at this offset (counted modulo the length) is turned over.
    BitFlip {
        /// The offset.
        at: u64,
    },
    /// The body ends early, and its framing says so: a shorter body than `Content-Length`, or chunks without their end.
    Truncated {
        /// Bytes that still arrive.
        after: u64,
        /// `Content-Length` or chunks.
        #[serde(default)]
        framing: Framing,
    },
    /// The body ends early, and the framing fits the shorter body: only the content betrays it.
    SilentlyTruncated {
        /// Bytes that still arrive.
        after: u64,
        /// How the end is marked.
        #[serde(default)]
        framing: Framing,
    },
    /// A web page instead.
    Html,
    /// Nothing at all.
    Empty,
    /// The bytes stop after so many, and nothing follows.
    Stalled {
        /// Bytes that still arrive.
        after: u64,
    },
}

/// Something that goes wrong with the requests that match a pattern.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestFault {
    /// Which requests.
    pub request: RequestPattern,
    /// The first matching request that goes wrong, counted from one.
    #[serde(default = "first")]
    pub first: u32,
    /// How many go wrong from there on.
    #[serde(default = "Times::once")]
    pub times: Times,
    /// What happens.
    pub fault: Fault,
}

pub(super) const fn first() -> u32 {
    1
}

/// What happens to one request.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Fault {
    /// The connection is reset; the request is not executed.
    Reset,
    /// The request is executed, and the connection closed without an answer.
    LostAnswer,
    /// An error document, without executing the request.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The error page of a proxy, without executing the request.
    ProxyError {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// So many bytes of the request's body are taken, then the connection is reset; the request is not executed.
    UploadBroken {
        /// Bytes.
        after: u64,
    },
    /// Nothing is sent.
    Stall,
    /// The answer comes at this speed, headers included.
    Slow {
        /// Bytes a second.
        bytes_per_second: u32,
    },
    /// `Connection: close` after this answer.
    CloseConnection,
    /// A login page with status 200.
    HtmlLogin,
    /// A redirect.
    Redirect {
        /// Where to.
        location: String,
        /// With which status.
        #[serde(default = "found")]
        status: u16,
    },
    /// The document has a DOCTYPE (in XML).
    Doctype,
    /// The document is a nest of entities that expand to gigabytes (in XML).
    EntityExpansion,
    /// The document nests elements this deep.
    DeepXml {
        /// How deep.
        levels: u32,
    },
    /// The document repeats its items without end.
    EndlessList,
    /// There is another page after every page, whatever the offset.
    EndlessPages,
    /// The document is well-formed, valid and this long, and comes in chunks.
    HugeDocument {
        /// How long.
        bytes: u64,
    },
    /// The ids of the listed items are wrong.
    Ids(Ids),
    /// A name is not UTF-8.
    InvalidUtf8,
    /// JSON, whatever was asked for, called XML.
    JsonForXml,
    /// `Content-Encoding: gzip`, not asked for.
    GzipEncoding,
    /// Every URI in the document points to this base.
    ForeignUris {
        /// Such as `https://elsewhere.example/api/`.
        base: String,
    },
    /// The body arrives damaged.
    Damaged(Damage),
}

const fn found() -> u16 {
    302
}

/// What is wrong with ids.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Ids {
    /// Not there, and no address to read them from.
    Missing,
    /// Not there, but in the address of each object.
    InUri,
    /// Below zero.
    Negative,
    /// All the same.
    Duplicate,
    /// Not a number.
    Text,
}
