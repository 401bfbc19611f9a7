//! The platform as the workflow asks it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::call::{Call, Script};
use super::fake::FakePlatform;
use super::state::missing;
use crate::model::{
    BinaryRef, Facts, ItemKind, ItemRef, OutputFormat, Page, Representation, Resource, Ticket,
};
use crate::ports::{
    ApiError, Document, Download, ExportStatus, OpenTicket, Platform, ReadDocument, ResumeAt,
    Started, UserDataApi,
};

/// The validator of every archive.
const VALIDATOR: &str = "\"v1\"";

fn request_of(what: Resource) -> String {
    match what {
        Resource::List(list, Page::Whole) => format!("GET users/john/{}", list.name()),
        other => format!("GET {other:?}"),
    }
}

fn lost(request: &str) -> ApiError {
    ApiError::NoAnswer {
        request: request.to_owned(),
        sent: true,
        detail: "reset".to_owned(),
    }
}

#[async_trait]
impl UserDataApi for FakePlatform {
    async fn platform(&self) -> Result<Platform, ApiError> {
        match self.receive(Call::Platform).await {
            Some(Script::Refuse(error)) => Err(error),
            _ => Ok(Platform {
                version: Some("3.8.13".to_owned()),
            }),
        }
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Document(what, form)).await {
            return Err(error);
        }
        let facts = self.state().facts(what)?;
        let bytes = match form {
            Representation::Xml => format!("<?xml version=\"1.0\"?><document of=\"{what:?}\"/>"),
            Representation::Json => {
                serde_json::json!({ "document": format!("{what:?}") }).to_string()
            }
        };
        Ok(Document {
            bytes: bytes.into(),
            media_type: form.media_type().to_owned(),
            request: request_of(what),
            facts: if form == Representation::Xml {
                facts
            } else {
                Facts::default()
            },
        })
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        Ok(self.document(what, Representation::Xml).await?.into())
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        let script = self.receive(Call::Binary(what)).await;
        let bytes = self.state().files.get(&what).cloned();
        let bytes = match script {
            Some(Script::Refuse(error)) => return Err(error),
            Some(Script::Body(bytes, _)) => bytes,
            _ => bytes.ok_or_else(|| missing("GET binary"))?,
        };
        Ok(Download {
            media_type: "image/png".to_owned(),
            length: Some(bytes.len() as u64),
            starts_at: 0,
            validator: None,
            request: format!("GET {what:?}"),
            body: stream::iter([Ok(bytes.into())]).boxed(),
        })
    }

    async fn may_start(&self, _: ItemRef) -> bool {
        true
    }

    async fn start_export(&self, item: ItemRef, _: OutputFormat) -> Result<Started, ApiError> {
        let script = self.receive(Call::Start(item)).await;
        if let Some(Script::Refuse(error)) = script {
            return Err(error);
        }
        let ticket = {
            self.state().item(item)?;
            self.foreign_ticket(item)
        };
        match script {
            Some(Script::LoseAnswer) => Err(lost("POST exports")),
            Some(Script::Say(status)) => Ok(Started { ticket, status }),
            _ => Ok(Started {
                ticket,
                status: self.status(ticket)?,
            }),
        }
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        match self.receive(Call::Status(ticket)).await {
            Some(Script::Refuse(error)) => Err(error),
            Some(Script::Say(status)) => Ok(status),
            _ => self.status(ticket),
        }
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        self.receive(Call::Statuses(tickets.len())).await;
        let most = self.state().batch;
        let most = most.ok_or_else(|| missing("GET exports/statuses"))?;
        Ok(tickets
            .iter()
            .take(most)
            .filter_map(|ticket| Some((*ticket, self.status(*ticket).ok()?)))
            .collect())
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::OpenTickets).await {
            return Err(error);
        }
        let appliances = self
            .tickets()
            .into_iter()
            .filter(|ticket| ticket.item.kind == ItemKind::Appliance);
        Ok(appliances.map(|ticket| self.listed(ticket)).collect())
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        let offset = from.as_ref().map_or(0, |from| from.offset);
        let is_known = from.is_none_or(|from| from.validator == VALIDATOR);
        let script = self.receive(Call::Download(ticket, offset)).await;
        if !self.status(ticket)?.complete {
            return Err(ApiError::Refused {
                request: "GET downloads".to_owned(),
                status: 400,
                message: None,
            });
        }
        let archive = self.state().item(ticket.item)?.archive.clone();
        self.was_downloaded(ticket);
        let ranges = self.state().ranges;
        let starts_at = if ranges && is_known { offset } else { 0 };
        let (bytes, error) = match script {
            Some(Script::Refuse(error)) => return Err(error),
            Some(Script::Body(bytes, error)) => (bytes, error),
            _ => (
                archive
                    .get(usize::try_from(starts_at).unwrap_or(0)..)
                    .unwrap_or_default()
                    .to_vec(),
                None,
            ),
        };
        let chunks: Vec<_> = bytes
            .chunks(7)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .chain(error.map(Err))
            .collect();
        Ok(Download {
            media_type: "application/gzip".to_owned(),
            length: self.state().lengths.then_some(bytes.len() as u64),
            starts_at,
            validator: ranges.then(|| VALIDATOR.to_owned()),
            request: format!("GET {ticket}"),
            body: stream::iter(chunks).boxed(),
        })
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Cancel(ticket)).await {
            return Err(error);
        }
        let is_running = !self.status(ticket)?.complete;
        if is_running && ticket.item.kind == ItemKind::Appliance {
            self.state().cancelled.insert(ticket);
        }
        Ok(())
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        if let Some(Script::Refuse(error)) = self.receive(Call::Delete(ticket)).await {
            return Err(error);
        }
        let mut state = self.state();
        state.tickets.remove(&ticket);
        state.downloaded.remove(&ticket);
        Ok(())
    }
}
