//! The platform's imports behind the domain's port.

use async_trait::async_trait;
use bytes::BytesMut;
use domain::model::{ImportId, ImportOptions, ImportTicket, ItemKind, OsVersion, Tagging};
use domain::ports::{
    ApiError, ExportStatus, ImportApi, ImportTicketFacts, OpenImport, OpenedImport, Upload,
};
use futures_util::StreamExt as _;

use super::paths::Address;
use super::{InProcess, facts};
use crate::document::Element;
use crate::platform::Answer;

fn of(ticket: ImportTicket, below: Option<&str>) -> Address {
    let id = ticket.id.to_string();
    let below: Vec<String> = [id].into_iter().chain(below.map(str::to_owned)).collect();
    Address::imports(ticket.kind, &below, String::new())
}

fn status_of(root: &Element) -> ExportStatus {
    root.child("status").map(facts::status).unwrap_or_default()
}

#[async_trait]
impl ImportApi for InProcess {
    async fn open_import(
        &self,
        kind: ItemKind,
        options: ImportOptions,
    ) -> Result<OpenedImport, ApiError> {
        let query = format!(
            "imported={}&force={}&reuseBundles=true&useMajor={}",
            options.tagging == Tagging::Imported,
            options.overwrite,
            options.os_version == OsVersion::Major
        );
        let address = Address::imports(kind, &[], query);
        let root = self.root("POST", &address)?;
        let id = root
            .child_number("dbId")
            .and_then(|id| ImportId::try_from(id).ok());
        let id = id.ok_or_else(|| self.unreadable("POST", &address, "the ticket has no id"))?;
        Ok(OpenedImport {
            ticket: ImportTicket { kind, id },
            status: status_of(&root),
        })
    }

    async fn upload(
        &self,
        ticket: ImportTicket,
        mut archive: Upload,
    ) -> Result<ExportStatus, ApiError> {
        let address = of(ticket, Some("uploads"));
        let mut body = BytesMut::new();
        while let Some(Ok(piece)) = archive.body.next().await {
            body.extend_from_slice(&piece);
        }
        if body.len() as u64 != archive.length {
            return Err(ApiError::NoAnswer {
                request: format!("upload to {ticket}"),
                sent: true,
                detail: "the body ended before its end".to_owned(),
            });
        }
        match self.call_with("POST", &address, Some(&body.freeze()))? {
            Answer::Document { root, .. } => Ok(facts::status(&root)),
            _ => Err(self.unreadable("POST", &address, "this is no document")),
        }
    }

    async fn import_status(&self, ticket: ImportTicket) -> Result<ExportStatus, ApiError> {
        Ok(facts::status(
            &self.root("GET", &of(ticket, Some("status")))?,
        ))
    }

    async fn import_ticket(&self, ticket: ImportTicket) -> Result<ImportTicketFacts, ApiError> {
        let root = self.root("GET", &of(ticket, None))?;
        Ok(ImportTicketFacts {
            status: status_of(&root),
            uploaded: facts::text(&root, "uploaded").map(|word| word == "true"),
            reference: facts::text(&root, "referenceUri"),
        })
    }

    async fn open_imports(&self) -> Result<Vec<OpenImport>, ApiError> {
        let kind = ItemKind::Appliance;
        let root = self.root("GET", &Address::imports(kind, &[], String::new()))?;
        let entries = root
            .child("applianceImports")
            .map(Element::children)
            .unwrap_or_default();
        let tickets = entries.iter().filter_map(|entry| {
            let id = ImportId::try_from(entry.child_number("dbId")?).ok()?;
            Some(OpenImport {
                ticket: ImportTicket { kind, id },
                status: status_of(entry),
                created: facts::text(entry, "created").and_then(|text| text.parse().ok()),
                uploaded: facts::text(entry, "uploaded").is_some_and(|word| word == "true"),
            })
        });
        Ok(tickets.collect())
    }

    async fn delete_import(&self, ticket: ImportTicket) -> Result<(), ApiError> {
        if ticket.kind == ItemKind::MySoftware {
            return Ok(());
        }
        match self.call("DELETE", &of(ticket, None)) {
            Err(ApiError::NotFound { .. }) => Ok(()),
            result => result.map(|_| ()),
        }
    }
}
