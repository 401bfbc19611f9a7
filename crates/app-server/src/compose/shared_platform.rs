//! A platform that many workers share: no more exports on it at the same time than there are slots, no more requests a second than its
//! operator allows, and none by a worker whose lease ran out.

use std::sync::Arc;

use async_trait::async_trait;
use domain::model::{BinaryRef, ItemKind, ItemRef, OutputFormat, Representation, Resource, Ticket};
use domain::ports::{
    ApiError, Clock, Document, Download, ExportState, ExportStatus, OpenTicket, Platform,
    ReadDocument, ResumeAt, Started, UserDataApi,
};
use domain::workflow::start_may_have_worked;
use futures_util::future::join_all;

use crate::backend::SharedUse;

/// The platform as one run of many uses it.
pub(super) struct SharedPlatform<A> {
    pub(super) inner: A,
    pub(super) shared: SharedUse,
    pub(super) clock: Arc<dyn Clock>,
}

impl<A> SharedPlatform<A> {
    /// Waits until a request may be sent. After the lease ran out none is: another worker may be using the same tickets.
    async fn turn(&self) -> Result<(), ApiError> {
        if let Some(rate) = &self.shared.rate {
            rate.turn().await;
        }
        if self.shared.until.is_past(self.clock.elapsed()) {
            return Err(ApiError::NoAnswer {
                request: "a request of a run".to_owned(),
                sent: false,
                detail: "the lease of its job ran out".to_owned(),
            });
        }
        Ok(())
    }

    /// Frees the slot of an item when the platform says that its export has ended.
    async fn see(&self, item: ItemRef, status: &ExportStatus) {
        if status.state() != ExportState::Running {
            self.shared.slots.give_back(item).await;
        }
    }
}

#[async_trait]
impl<A: UserDataApi> UserDataApi for SharedPlatform<A> {
    async fn platform(&self) -> Result<Platform, ApiError> {
        self.turn().await?;
        self.inner.platform().await
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        self.turn().await?;
        self.inner.document(what, form).await
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        self.turn().await?;
        self.inner.facts(what).await
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        self.turn().await?;
        self.inner.binary(what).await
    }

    async fn may_start(&self, item: ItemRef) -> bool {
        let is_held = || !self.shared.until.is_past(self.clock.elapsed());
        if !is_held() {
            return false;
        }
        self.shared.slots.take(item).await;
        is_held()
    }

    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError> {
        self.turn().await?;
        let answer = self.inner.start_export(item, format).await;
        match &answer {
            Ok(started) => self.see(item, &started.status).await,
            // Where it may have worked, an export may be running that nobody has heard of.
            Err(error) if start_may_have_worked(item.kind, error) => {}
            Err(_) => self.shared.slots.give_back(item).await,
        }
        answer
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        self.turn().await?;
        let answer = self.inner.export_status(ticket).await;
        match &answer {
            Ok(status) => self.see(ticket.item, status).await,
            Err(ApiError::NotFound { .. }) => self.shared.slots.give_back(ticket.item).await,
            Err(_) => {}
        }
        answer
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        self.turn().await?;
        let answer = self.inner.export_statuses(tickets).await;
        let seen = answer.iter().flatten();
        join_all(seen.map(|(ticket, status)| self.see(ticket.item, status))).await;
        answer
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        self.turn().await?;
        self.inner.open_tickets().await
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        self.turn().await?;
        self.inner.download(ticket, from).await
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.turn().await?;
        let answer = self.inner.cancel_export(ticket).await;
        if answer.is_ok() && ticket.item.kind == ItemKind::Appliance {
            self.shared.slots.give_back(ticket.item).await;
        }
        answer
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.turn().await?;
        let answer = self.inner.delete_export(ticket).await;
        if answer.is_ok() {
            self.shared.slots.give_back(ticket.item).await;
        }
        answer
    }
}
