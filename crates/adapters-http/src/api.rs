//! The port: each call is one question to the platform, and what its answer means.

use async_trait::async_trait;
use bytes::Bytes;
use domain::model::{
    BinaryRef, Facts, ItemKind, ItemRef, ListResource, OutputFormat, Representation, Resource,
    Ticket,
};
use domain::ports::{
    ApiError, Document, Download, ExportStatus, OpenTicket, Platform, ReadDocument, ResumeAt,
    Started, UserDataApi,
};

use reqwest::StatusCode;

use crate::config::{ApiSettings, SetUpError};
use crate::download;
use crate::files::{self, FileKind};
use crate::paths::Paths;
use crate::platform_request::PlatformRequest;
use crate::transport::Transport;
use crate::wire::{self, MediaType, Unread};

/// One user's data on a UForge, over its REST interface.
pub struct UforgeApi {
    pub(crate) transport: Transport,
    pub(crate) paths: Paths,
}

impl std::fmt::Debug for UforgeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UforgeApi").finish_non_exhaustive()
    }
}

impl UforgeApi {
    /// Prepares the way to the platform; nothing is sent yet.
    pub fn new(settings: ApiSettings) -> Result<Self, SetUpError> {
        let paths = Paths::of(&settings.user).ok_or_else(|| SetUpError::DotLogin {
            login: settings.user.to_string(),
        })?;
        Ok(Self {
            transport: Transport::new(settings)?,
            paths,
        })
    }

    /// Sends a request, and reads the XML document that answers it.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        ask: &PlatformRequest<'_>,
        reader: impl FnOnce(&[u8]) -> Result<T, Unread> + Send + 'static,
    ) -> Result<T, ApiError> {
        let response = self.transport.send(ask).await?;
        self.read_answer(ask, response, reader).await
    }

    /// Reads the XML document of an answer.
    pub(crate) async fn read_answer<T: Send + 'static>(
        &self,
        ask: &PlatformRequest<'_>,
        response: reqwest::Response,
        reader: impl FnOnce(&[u8]) -> Result<T, Unread> + Send + 'static,
    ) -> Result<T, ApiError> {
        let label = MediaType::of(response.headers());
        let request = ask.name();
        let bytes = self.transport.document(response, &request).await?;
        wire::read(bytes, reader)
            .await
            .map_err(|unread| unread.labelled(label).of(&request, wire::XML_DOCUMENT))
    }

    /// The facts in the bytes of a document, which prove that it is one.
    pub(crate) async fn facts_in(
        &self,
        bytes: Bytes,
        (what, form): (Resource, Representation),
        (request, status, label): (&str, StatusCode, Option<MediaType>),
    ) -> Result<Facts, ApiError> {
        if bytes.trim_ascii().is_empty() {
            return Err(ApiError::Empty {
                request: request.to_owned(),
                status: status.as_u16(),
            });
        }
        wire::read(bytes, move |bytes| wire::facts(bytes, what, form))
            .await
            .map_err(|unread| unread.labelled(label).of(request, wire::expected(form)))
    }

    async fn file(&self, ask: &PlatformRequest<'_>, kind: FileKind) -> Result<Download, ApiError> {
        let response = self.transport.send(ask).await?;
        let head = download::head(&response, ask)?;
        let body = self.transport.file(response, &ask.name()).stream();
        let download = Download {
            media_type: head.media_type,
            length: head.length,
            starts_at: head.starts_at,
            validator: head.validator,
            request: ask.source(),
            body,
        };
        if download.starts_at > 0 {
            return Ok(download);
        }
        files::looked_at(download, kind, self.transport.document_limit())
            .await
            .map_err(|unread| unread.of(&ask.name(), "a file"))
    }
}

/// What a refusal to give JSON looks like.
fn not_as_json(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused {
            request,
            status: status @ (406 | 415),
            ..
        }
        | ApiError::ServerFault {
            request,
            status: status @ 501,
            ..
        } => ApiError::NotOffered {
            request,
            detail: format!("it answered {status} where JSON was asked for"),
        },
        other => other,
    }
}

#[async_trait]
impl UserDataApi for UforgeApi {
    async fn platform(&self) -> Result<Platform, ApiError> {
        let version = self.transport.platform_version().await?;
        Ok(Platform { version })
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        let address = self.paths.resource(what);
        let ask = PlatformRequest::get(&address, form.media_type());
        let request = ask.name();
        let sent = self.transport.send(&ask).await;
        let response = match form {
            Representation::Xml => sent?,
            Representation::Json => sent.map_err(not_as_json)?,
        };
        let label = MediaType::of(response.headers());
        let status = response.status();
        let bytes = self.transport.document(response, &request).await?;
        let facts = self
            .facts_in(
                bytes.clone(),
                (what, form),
                (&request, status, label.clone()),
            )
            .await?;
        Ok(Document {
            bytes,
            media_type: wire::of_document(label, form),
            request: ask.source(),
            facts,
        })
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        self.read_as_it_comes(what).await
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        let address = self.paths.binary(what);
        let kind = match what {
            BinaryRef::Photo(_) | BinaryRef::Logo(..) | BinaryRef::Certificate { .. } => {
                FileKind::Small
            }
            BinaryRef::Part(_) => FileKind::Own,
        };
        self.file(&PlatformRequest::get(&address, "*/*"), kind)
            .await
    }

    async fn may_start(&self, _: ItemRef) -> bool {
        true
    }

    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError> {
        let address = self.paths.exports(item, format);
        self.read(&PlatformRequest::post(&address), move |bytes| {
            wire::started(bytes, item)
        })
        .await
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        let address = self.paths.ticket_status(ticket);
        self.read(&PlatformRequest::xml(&address), wire::status)
            .await
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        // My software has no such resource: nothing can be known of its tickets here.
        let asked: Vec<Ticket> = tickets
            .iter()
            .filter(|ticket| ticket.item.kind == ItemKind::Appliance)
            .copied()
            .collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let address = self.paths.statuses(&asked);
        self.read(&PlatformRequest::xml(&address), move |bytes| {
            wire::statuses(bytes, &asked)
        })
        .await
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        self.all_tickets(ListResource::Exports, wire::open_tickets, |open| {
            open.ticket
        })
        .await
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        let address = self.paths.archive(ticket);
        let ask = PlatformRequest::get(&address, "*/*").resuming_at(from.as_ref());
        self.file(&ask, FileKind::Archive).await
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        if ticket.item.kind == ItemKind::MySoftware {
            return Ok(());
        }
        let address = self.paths.ticket_status(ticket);
        self.transport
            .done(&PlatformRequest::delete(&address))
            .await
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        let address = self.paths.ticket(ticket);
        match self
            .transport
            .done(&PlatformRequest::delete(&address))
            .await
        {
            Err(ApiError::NotFound { .. }) => Ok(()),
            result => result,
        }
    }
}
