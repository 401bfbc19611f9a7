//! Counts what goes wrong between the service and the UForge.

use std::sync::Arc;

use async_trait::async_trait;
use domain::model::{BinaryRef, ItemRef, OutputFormat, Representation, Resource, Ticket};
use domain::ports::{
    ApiError, Document, Download, ExportStatus, OpenTicket, Platform, ReadDocument, ResumeAt,
    Started, UserDataApi,
};
use futures_util::StreamExt as _;
use metrics::counter;

use super::names::PLATFORM_ERRORS;
use super::registry::Metrics;

/// The kind of an error; `None` for an answer that is no error of the platform's.
fn kind_of(error: &ApiError) -> Option<&'static str> {
    Some(match error {
        ApiError::NotOffered { .. } => return None,
        ApiError::Unauthorized { .. } => "unauthorized",
        ApiError::Forbidden { .. } => "forbidden",
        ApiError::NotFound { .. } => "not_found",
        ApiError::Refused { .. } => "refused",
        ApiError::Overloaded { .. } => "overloaded",
        ApiError::ServerFault { .. } => "server_fault",
        ApiError::UnknownHost { .. } | ApiError::Unreachable { .. } => "unreachable",
        ApiError::ProxyUnreachable { .. }
        | ApiError::ProxyUnauthorized { .. }
        | ApiError::ProxyRefused { .. } => "proxy",
        ApiError::ClientCertificate { .. }
        | ApiError::NoCommonTls { .. }
        | ApiError::Untrusted { .. } => "tls",
        ApiError::NoAnswer { .. } | ApiError::Stalled { .. } => "no_answer",
        ApiError::Interrupted { .. } => "interrupted",
        ApiError::NotHttp { .. }
        | ApiError::NotUForge { .. }
        | ApiError::Unreadable { .. }
        | ApiError::Empty { .. }
        | ApiError::TooLarge { .. }
        | ApiError::Redirected { .. } => "unusable_answer",
    })
}

/// The platform, with its errors counted.
pub(crate) struct MeteredApi<A> {
    pub(crate) inner: A,
    pub(crate) metrics: Arc<Metrics>,
}

impl Metrics {
    fn platform_failed(&self, error: &ApiError) {
        if let Some(kind) = kind_of(error) {
            self.with(|| counter!(PLATFORM_ERRORS, "kind" => kind).increment(1));
        }
    }
}

impl<A> MeteredApi<A> {
    fn seen<T>(&self, answer: Result<T, ApiError>) -> Result<T, ApiError> {
        answer.inspect_err(|error| self.metrics.platform_failed(error))
    }

    /// A body may break off after its answer began well.
    fn seen_through(&self, answer: Result<Download, ApiError>) -> Result<Download, ApiError> {
        let download = self.seen(answer)?;
        let metrics = Arc::clone(&self.metrics);
        let body = download.body.inspect(move |chunk| {
            if let Err(error) = chunk {
                metrics.platform_failed(error);
            }
        });
        Ok(Download {
            body: body.boxed(),
            ..download
        })
    }
}

#[async_trait]
impl<A: UserDataApi> UserDataApi for MeteredApi<A> {
    async fn platform(&self) -> Result<Platform, ApiError> {
        self.seen(self.inner.platform().await)
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        self.seen(self.inner.document(what, form).await)
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        self.seen(self.inner.facts(what).await)
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        self.seen_through(self.inner.binary(what).await)
    }

    async fn may_start(&self, item: ItemRef) -> bool {
        self.inner.may_start(item).await
    }

    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError> {
        self.seen(self.inner.start_export(item, format).await)
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        self.seen(self.inner.export_status(ticket).await)
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        self.seen(self.inner.export_statuses(tickets).await)
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        self.seen(self.inner.open_tickets().await)
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        self.seen_through(self.inner.download(ticket, from).await)
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.seen(self.inner.cancel_export(ticket).await)
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.seen(self.inner.delete_export(ticket).await)
    }
}
