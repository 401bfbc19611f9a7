//! The platform, as one person's data: one attempt a call, nothing in here sleeps or tries again.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use thiserror::Error;

use crate::model::{
    BinaryRef, Facts, ItemRef, OutputFormat, Representation, Resource, Sha256, Ticket,
};

/// What `GET status` says (schema type `ServiceStatus`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// `version`, where the platform says one.
    pub version: Option<String>,
}

/// One document, byte for byte as sent, and the facts read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The body.
    pub bytes: Bytes,
    /// The media type without parameters.
    pub media_type: String,
    /// The request that it answers, as in `GET users/john/appliances`, without a query that holds credentials.
    pub request: String,
    /// Read from XML; empty for JSON.
    pub facts: Facts,
}

/// What was read of a document that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadDocument {
    /// Read from XML.
    pub facts: Facts,
    /// The sum of its bytes.
    pub sha256: Sha256,
}

impl From<Document> for ReadDocument {
    fn from(document: Document) -> Self {
        Self {
            sha256: Sha256::of(&document.bytes),
            facts: document.facts,
        }
    }
}

/// Where a broken download is resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeAt {
    /// Bytes that are here already.
    pub offset: u64,
    /// The strong validator that the first part came with (RFC 9110 §13.1.5, `If-Range`).
    pub validator: String,
}

/// A body on its way.
pub struct Download {
    /// The media type without parameters.
    pub media_type: String,
    /// Bytes still to come, where the server says.
    pub length: Option<u64>,
    /// The offset of the first byte of `body`: 0, or the resume point's where the server went on there.
    pub starts_at: u64,
    /// A strong validator, with which the rest can be asked for: an `ETag`, or a time of change that proves as much (RFC 9110
    /// §8.8.2.2). `None` where the server sent none, or says that it takes no ranges.
    pub validator: Option<String>,
    /// The request that it answers, as in `GET users/john/appliances/201/exports/12/downloads`.
    pub request: String,
    /// The bytes. An error ends it; an end without an error is the end of the transfer, which is not yet proof of the whole.
    pub body: BoxStream<'static, Result<Bytes, ApiError>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("request", &self.request)
            .field("media_type", &self.media_type)
            .field("length", &self.length)
            .field("starts_at", &self.starts_at)
            .finish_non_exhaustive()
    }
}

/// What a ticket's `status` comes to. `error` and `cancelled` win over `complete` (docs/platform.md#the-export-workflow).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportState {
    /// Not ended yet.
    Running,
    /// The archive can be downloaded.
    Complete,
    /// It ended without an archive.
    Error,
    /// Somebody cancelled it.
    Cancelled,
}

/// A ticket's `status` (schema type `OpStatus`), as sent: every field is optional, and figures may be nonsense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportStatus {
    /// `complete`.
    pub complete: bool,
    /// `error` or `detailedError`.
    pub error: bool,
    /// `cancelled`.
    pub cancelled: bool,
    /// `percentage`; may be -1, stay, or go back.
    pub percentage: Option<i64>,
    /// `bytesLoaded`.
    pub bytes_loaded: Option<i64>,
    /// `bytesTotal`.
    pub bytes_total: Option<i64>,
    /// `message`.
    pub message: Option<String>,
    /// `errorMessage`, and `detailedErrorMsg` where there is one.
    pub error_message: Option<String>,
}

impl ExportStatus {
    /// What it comes to.
    pub fn state(&self) -> ExportState {
        if self.error {
            ExportState::Error
        } else if self.cancelled {
            ExportState::Cancelled
        } else if self.complete {
            ExportState::Complete
        } else {
            ExportState::Running
        }
    }
}

/// The platform took an export on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its ticket.
    pub ticket: Ticket,
    /// The status that came with it.
    pub status: ExportStatus,
}

/// A ticket that is open on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTicket {
    /// Which.
    pub ticket: Ticket,
    /// Its status.
    pub status: ExportStatus,
    /// When the platform made it, by the platform's clock; `None` where it says no instant.
    pub created: Option<Timestamp>,
    /// Whether its archive was downloaded, by whomever. `false` where the platform says nothing.
    pub downloaded: bool,
}

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted here has signed it.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotValidYet,
    /// It was issued for another host.
    WrongHost,
    /// Anything else.
    Other,
}

/// Why the platform did not give what was asked for. `request` is method and path without query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiError {
    /// 401: the credentials are not accepted.
    #[error("{request}: the server refused the credentials{}", said(message.as_ref()))]
    Unauthorized {
        /// Method and path.
        request: String,
        /// What the server said.
        message: Option<String>,
    },
    /// 403: no entitlement.
    #[error("{request}: not permitted (403){}", said(message.as_ref()))]
    Forbidden {
        /// Method and path.
        request: String,
        /// What the server said.
        message: Option<String>,
    },
    /// 404 or 410: not there, or not known to this version.
    #[error("{request}: not found ({status}){}", said(message.as_ref()))]
    NotFound {
        /// Method and path.
        request: String,
        /// 404 or 410.
        status: u16,
        /// What the server said.
        message: Option<String>,
    },
    /// Any other 4xx: asking again would not help.
    #[error("{request}: refused ({status}){}", said(message.as_ref()))]
    Refused {
        /// Method and path.
        request: String,
        /// The status code.
        status: u16,
        /// What the server said.
        message: Option<String>,
    },
    /// 408, 425, 429, 502, 503, 504 and the other statuses that say "not now": try again later.
    #[error("{request}: {} ({status}){}", overloaded(proxy.as_deref()), said(message.as_ref()))]
    Overloaded {
        /// Method and path.
        request: String,
        /// The status code.
        status: u16,
        /// `Retry-After`, where sent.
        retry_after: Option<Duration>,
        /// Host and port of a proxy that may have said this itself, because it does not reach the platform.
        proxy: Option<Box<str>>,
        /// What the server said.
        message: Option<String>,
    },
    /// 500 and other 5xx.
    #[error("{request}: the server failed ({status}){}", said(message.as_ref()))]
    ServerFault {
        /// Method and path.
        request: String,
        /// The status code.
        status: u16,
        /// What the server said.
        message: Option<String>,
    },
    /// The resource is not offered in this representation: only the other one is to be had.
    #[error("{request}: not offered by the platform: {detail}")]
    NotOffered {
        /// Method and path.
        request: String,
        /// What it answered instead.
        detail: String,
    },
    /// The host's name does not resolve.
    #[error("{request}: the host `{host}` cannot be found: {detail}")]
    UnknownHost {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// The system's word.
        detail: String,
    },
    /// No connection: nobody listens, or the network is down.
    #[error("{request}: could not connect to `{host}`: {detail}")]
    Unreachable {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// The system's word.
        detail: String,
    },
    /// No connection to the proxy that the environment names.
    #[error("{request}: could not connect to the proxy `{proxy}`: {detail}")]
    ProxyUnreachable {
        /// Method and path.
        request: String,
        /// Host and port of the proxy.
        proxy: String,
        /// The system's word.
        detail: String,
    },
    /// The proxy that the environment names wants a user name and a password.
    #[error(
        "{request}: the proxy `{proxy}` wants a user name and a password, or refuses those that it was given (407)"
    )]
    ProxyUnauthorized {
        /// Method and path.
        request: String,
        /// Host and port of the proxy.
        proxy: String,
    },
    /// The proxy that the environment names does not let the request through.
    #[error("{request}: the proxy `{proxy}` refused the request: {detail}")]
    ProxyRefused {
        /// Method and path.
        request: String,
        /// Host and port of the proxy.
        proxy: String,
        /// What it said.
        detail: String,
    },
    /// What listens there speaks another protocol.
    #[error("{request}: `{host}` does not speak HTTP on this port: {detail}")]
    NotHttp {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// How that was seen.
        detail: String,
    },
    /// The server wants to see a client certificate.
    #[error("{request}: `{host}` asks for a client certificate: {detail}")]
    ClientCertificate {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// What it said.
        detail: String,
    },
    /// No TLS version or cipher is shared.
    #[error("{request}: no TLS connection to `{host}` can be made: {detail}")]
    NoCommonTls {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// What is missing.
        detail: String,
    },
    /// The server's certificate is not trusted.
    #[error("{request}: the TLS certificate of `{host}` is not trusted: {detail}")]
    Untrusted {
        /// Method and path.
        request: String,
        /// Host and port.
        host: String,
        /// What is wrong with it, by kind.
        distrust: Distrust,
        /// What is wrong with it.
        detail: String,
    },
    /// The connection ended before an answer.
    #[error("{request}: the connection ended before an answer: {detail}")]
    NoAnswer {
        /// Method and path.
        request: String,
        /// Whether the request may have reached the server.
        sent: bool,
        /// The system's word.
        detail: String,
    },
    /// The body ended before its end.
    #[error("{request}: the answer broke off after {received} bytes")]
    Interrupted {
        /// Method and path.
        request: String,
        /// Bytes received.
        received: u64,
    },
    /// No byte for as long as is allowed.
    #[error("{request}: no byte received for {} seconds", after.as_secs())]
    Stalled {
        /// Method and path.
        request: String,
        /// How long.
        after: Duration,
    },
    /// A page for people where a document was expected: not a UForge, or a login page in front of it.
    #[error("{request}: this is not a UForge answer: `{media_type}` where {expected} was expected")]
    NotUForge {
        /// Method and path.
        request: String,
        /// What came.
        media_type: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// The document cannot be read.
    #[error("{request}: the answer cannot be read: {detail}")]
    Unreadable {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        detail: String,
    },
    /// There is an answer, but nothing in it.
    #[error("{request}: the answer cannot be read: it is empty ({status})")]
    Empty {
        /// Method and path.
        request: String,
        /// The HTTP status: 204, or that of an answer without a body.
        status: u16,
    },
    /// The document is larger than is accepted.
    #[error("{request}: the answer is larger than the limit of {limit} bytes for one document")]
    TooLarge {
        /// Method and path.
        request: String,
        /// The limit.
        limit: u64,
    },
    /// A redirect, which is not followed: credentials go to the configured host only.
    #[error("{request}: the server redirects to `{to}`, which is not followed")]
    Redirected {
        /// Method and path.
        request: String,
        /// Scheme, host and path without query.
        to: String,
    },
}

fn overloaded(proxy: Option<&str>) -> String {
    let what = "the server is overloaded or being upgraded";
    proxy.map_or_else(
        || what.to_owned(),
        |proxy| format!("{what}, or the proxy `{proxy}` does not reach it"),
    )
}

fn said(message: Option<&String>) -> String {
    message
        .map(|words| format!(": \"{words}\""))
        .unwrap_or_default()
}

impl ApiError {
    /// The HTTP status, where one came.
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { .. } => Some(401),
            Self::Forbidden { .. } => Some(403),
            Self::NotFound { status, .. }
            | Self::Refused { status, .. }
            | Self::Overloaded { status, .. }
            | Self::ServerFault { status, .. } => Some(*status),
            Self::NotOffered { .. }
            | Self::UnknownHost { .. }
            | Self::Unreachable { .. }
            | Self::ProxyUnreachable { .. }
            | Self::ProxyUnauthorized { .. }
            | Self::ProxyRefused { .. }
            | Self::NotHttp { .. }
            | Self::ClientCertificate { .. }
            | Self::NoCommonTls { .. }
            | Self::Untrusted { .. }
            | Self::NoAnswer { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. }
            | Self::NotUForge { .. }
            | Self::Unreadable { .. }
            | Self::Empty { .. }
            | Self::TooLarge { .. }
            | Self::Redirected { .. } => None,
        }
    }
}

impl ApiError {
    /// Whether no connection came about, which may pass by itself.
    pub fn is_out_of_reach(&self) -> bool {
        matches!(
            self,
            Self::UnknownHost { .. } | Self::Unreachable { .. } | Self::ProxyUnreachable { .. }
        )
    }

    /// Whether no request will be answered before somebody changes the settings, here or on the way.
    pub fn is_misconfigured(&self) -> bool {
        matches!(
            self,
            Self::ProxyUnauthorized { .. }
                | Self::ProxyRefused { .. }
                | Self::ClientCertificate { .. }
                | Self::NoCommonTls { .. }
                | Self::Untrusted { .. }
        )
    }
}

/// One user's data on the platform. One attempt each; nothing here sleeps.
#[async_trait]
pub trait UserDataApi: Send + Sync {
    /// Whether the platform is there, and its version. Needs no credentials.
    async fn platform(&self) -> Result<Platform, ApiError>;

    /// A document's bytes as sent and, from XML, the facts in it. `NotOffered` where the resource is not to be had as JSON.
    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError>;

    /// What is in a document as XML, as [`Self::document`] reads it, where its bytes are not wanted: nobody has to have all of them in
    /// memory.
    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError>;

    /// A photo, a logo or a certificate.
    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError>;

    /// Asks for an export. An error other than `NoAnswer { sent: true }`, `NotHttp`, `Stalled`, `Interrupted`, `Unreadable`,
    /// `Empty`, `NotUForge` and an `Overloaded` of a gateway means that no ticket was made.
    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError>;

    /// A ticket's status.
    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError>;

    /// Many appliance tickets' statuses in one request; may know fewer than asked, and may not be there at all.
    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError>;

    /// All appliance tickets that are open on the server, other clients' too. My software has no such list.
    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError>;

    /// A complete export's archive, from its start or from a resume point.
    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError>;

    /// Stops an appliance's export that is running. My software has no such call: it returns at once.
    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError>;

    /// Waits until the export of an item may be started. Where many runs share a platform, its operator bounds what runs on it at the same
    /// time, and it may take long. `false` where it may not start now: it is asked for again a little later, and nothing of it was sent.
    async fn may_start(&self, item: ItemRef) -> bool;

    /// Deletes a ticket and its archive. One that is gone already is success.
    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError>;
}
