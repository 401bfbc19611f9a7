//! The port of imports: each call is one request, and what its answer means.

use async_trait::async_trait;
use domain::model::{ImportOptions, ImportTicket, ItemKind, ListResource, Page, Resource};
use domain::ports::{ApiError, ExportStatus, ImportApi, ImportTicketFacts, OpenedImport, Upload};

use crate::api::UforgeApi;
use crate::platform_request::PlatformRequest;
use crate::wire;

/// Entries of the list of imports that are asked for at once, where the platform does not give it whole.
const PAGE_OF_TICKETS: u64 = 500;
/// Requests that the list of imports may take.
const MOST_PAGES_OF_TICKETS: usize = 100;

#[async_trait]
impl ImportApi for UforgeApi {
    async fn open_import(
        &self,
        kind: ItemKind,
        options: ImportOptions,
    ) -> Result<OpenedImport, ApiError> {
        let address = self.paths.imports(kind, options);
        self.read(&PlatformRequest::post(&address), move |bytes| {
            wire::import_opened(bytes, kind)
        })
        .await
    }

    async fn upload(
        &self,
        ticket: ImportTicket,
        archive: Upload,
    ) -> Result<ExportStatus, ApiError> {
        let address = self.paths.import_upload(ticket);
        let ask = PlatformRequest::upload(&address, archive.length);
        let response = self.transport.upload(&ask, archive.body).await?;
        self.read_answer(&ask, response, wire::status).await
    }

    async fn import_status(&self, ticket: ImportTicket) -> Result<ExportStatus, ApiError> {
        let address = self.paths.import_status(ticket);
        self.read(&PlatformRequest::xml(&address), wire::status)
            .await
    }

    async fn import_ticket(&self, ticket: ImportTicket) -> Result<ImportTicketFacts, ApiError> {
        let address = self.paths.import(ticket);
        self.read(&PlatformRequest::xml(&address), move |bytes| {
            wire::import_ticket(bytes, ticket.kind)
        })
        .await
    }

    async fn open_imports(&self) -> Result<Vec<ImportTicket>, ApiError> {
        let mut found: Vec<ImportTicket> = Vec::new();
        let (mut page, mut seen, mut longest) = (Page::Whole, 0, 0);
        for _ in 0..MOST_PAGES_OF_TICKETS {
            let imports = Resource::List(ListResource::Imports, page);
            let address = self.paths.resource(imports);
            let part = self
                .read(&PlatformRequest::xml(&address), wire::open_imports)
                .await?;
            let known = found.len();
            for ticket in part.tickets {
                if !found.contains(&ticket) {
                    found.push(ticket);
                }
            }
            seen += part.entries;
            let more = match part.total {
                Some(total) => seen < total,
                None => part.entries > 0 && part.entries >= longest,
            };
            // A server that takes no notice of the offset sends the same again.
            if !more || found.len() == known {
                break;
            }
            longest = longest.max(part.entries);
            page = Page::From {
                offset: seen,
                count: PAGE_OF_TICKETS,
            };
        }
        Ok(found)
    }

    async fn delete_import(&self, ticket: ImportTicket) -> Result<(), ApiError> {
        if ticket.kind == ItemKind::MySoftware {
            return Ok(());
        }
        let address = self.paths.import(ticket);
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
