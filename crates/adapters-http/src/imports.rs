//! The port of imports: each call is one request, and what its answer means.

use async_trait::async_trait;
use domain::model::{ImportOptions, ImportTicket, ItemKind, ListResource};
use domain::ports::{
    ApiError, ExportStatus, ImportApi, ImportTicketFacts, OpenImport, OpenedImport, Upload,
};

use crate::api::UforgeApi;
use crate::platform_request::PlatformRequest;
use crate::wire;

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

    async fn open_imports(&self) -> Result<Vec<OpenImport>, ApiError> {
        self.all_tickets(ListResource::Imports, wire::open_imports, |open| {
            open.ticket
        })
        .await
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
