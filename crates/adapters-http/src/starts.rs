//! A platform that keeps track of starts: an export that was asked for is recorded even where the run that asked is
//! dropped before the answer comes. My software has no list in which its ticket could be found later.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::model::{BinaryRef, ItemRef, OutputFormat, Representation, Resource, Ticket};
use domain::ports::{
    ApiError, Document, Download, ExportStatus, OpenTicket, Platform, ReadDocument, ResumeAt,
    Started, UserDataApi,
};
use tokio_util::task::TaskTracker;

type OpenTickets = Arc<Mutex<BTreeSet<Ticket>>>;

/// The platform, and what was started on it and not deleted since.
pub struct TrackedStarts {
    api: Arc<dyn UserDataApi>,
    open: OpenTickets,
    sent: TaskTracker,
}

impl TrackedStarts {
    /// Records what is started on this platform from now on.
    pub fn new(api: Arc<dyn UserDataApi>) -> Self {
        Self {
            api,
            open: OpenTickets::default(),
            sent: TaskTracker::new(),
        }
    }

    /// Waits for answers to starts that were sent, and returns the tickets that are open on the platform.
    pub async fn settle(&self, within: Duration) -> BTreeSet<Ticket> {
        self.sent.close();
        if tokio::time::timeout(within, self.sent.wait())
            .await
            .is_err()
        {
            tracing::warn!("the platform did not answer a start in time");
        }
        lock(&self.open).clone()
    }
}

fn lock(open: &OpenTickets) -> MutexGuard<'_, BTreeSet<Ticket>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl UserDataApi for TrackedStarts {
    async fn platform(&self) -> Result<Platform, ApiError> {
        self.api.platform().await
    }

    async fn document(&self, what: Resource, form: Representation) -> Result<Document, ApiError> {
        self.api.document(what, form).await
    }

    async fn facts(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        self.api.facts(what).await
    }

    async fn binary(&self, what: BinaryRef) -> Result<Download, ApiError> {
        self.api.binary(what).await
    }

    async fn may_start(&self, item: ItemRef) -> bool {
        self.api.may_start(item).await
    }

    async fn start_export(&self, item: ItemRef, format: OutputFormat) -> Result<Started, ApiError> {
        let (api, open) = (Arc::clone(&self.api), Arc::clone(&self.open));
        // A task of its own: the answer is recorded even where the caller is dropped while it waits.
        let sent = self.sent.spawn(async move {
            let answer = api.start_export(item, format).await;
            if let Ok(started) = &answer {
                lock(&open).insert(started.ticket);
            }
            answer
        });
        match sent.await {
            Ok(answer) => answer,
            Err(error) => Err(ApiError::NoAnswer {
                request: format!("start the export of {item}"),
                sent: true,
                detail: error.to_string(),
            }),
        }
    }

    async fn export_status(&self, ticket: Ticket) -> Result<ExportStatus, ApiError> {
        self.api.export_status(ticket).await
    }

    async fn export_statuses(
        &self,
        tickets: &[Ticket],
    ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
        self.api.export_statuses(tickets).await
    }

    async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
        self.api.open_tickets().await
    }

    async fn download(&self, ticket: Ticket, from: Option<ResumeAt>) -> Result<Download, ApiError> {
        self.api.download(ticket, from).await
    }

    async fn cancel_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.api.cancel_export(ticket).await
    }

    async fn delete_export(&self, ticket: Ticket) -> Result<(), ApiError> {
        self.api.delete_export(ticket).await?;
        lock(&self.open).remove(&ticket);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::model::{ExportId, ItemKind, ObjectId};
    use futures_util::FutureExt as _;
    use tokio::sync::Notify;

    struct Slow(Arc<Notify>);

    #[async_trait]
    impl UserDataApi for Slow {
        async fn start_export(&self, item: ItemRef, _: OutputFormat) -> Result<Started, ApiError> {
            self.0.notified().await;
            Ok(Started {
                ticket: ticket(item),
                status: ExportStatus::default(),
            })
        }
        async fn delete_export(&self, _: Ticket) -> Result<(), ApiError> {
            Ok(())
        }
        async fn platform(&self) -> Result<Platform, ApiError> {
            unreachable!()
        }
        async fn document(&self, _: Resource, _: Representation) -> Result<Document, ApiError> {
            unreachable!()
        }
        async fn facts(&self, _: Resource) -> Result<ReadDocument, ApiError> {
            unreachable!()
        }
        async fn may_start(&self, _: ItemRef) -> bool {
            true
        }
        async fn binary(&self, _: BinaryRef) -> Result<Download, ApiError> {
            unreachable!()
        }
        async fn export_status(&self, _: Ticket) -> Result<ExportStatus, ApiError> {
            unreachable!()
        }
        async fn export_statuses(
            &self,
            _: &[Ticket],
        ) -> Result<Vec<(Ticket, ExportStatus)>, ApiError> {
            unreachable!()
        }
        async fn open_tickets(&self) -> Result<Vec<OpenTicket>, ApiError> {
            unreachable!()
        }
        async fn download(&self, _: Ticket, _: Option<ResumeAt>) -> Result<Download, ApiError> {
            unreachable!()
        }
        async fn cancel_export(&self, _: Ticket) -> Result<(), ApiError> {
            unreachable!()
        }
    }

    fn bundle() -> ItemRef {
        ItemRef {
            kind: ItemKind::MySoftware,
            id: ObjectId::try_from(301).unwrap(),
        }
    }

    fn ticket(item: ItemRef) -> Ticket {
        Ticket {
            item,
            id: ExportId::try_from(7).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_start_whose_run_was_dropped_is_recorded() {
        let answer = Arc::new(Notify::new());
        let starts = TrackedStarts::new(Arc::new(Slow(Arc::clone(&answer))));
        // Polled once, then dropped: the request has been sent.
        assert!(
            starts
                .start_export(bundle(), OutputFormat::Yaml)
                .now_or_never()
                .is_none()
        );
        answer.notify_one();
        let open = starts.settle(Duration::from_secs(9)).await;
        assert_eq!(open, [ticket(bundle())].into());

        starts.delete_export(ticket(bundle())).await.unwrap();
        assert!(starts.settle(Duration::ZERO).await.is_empty());
    }

    #[tokio::test]
    async fn a_platform_that_never_answers_does_not_delay_the_end() {
        let starts = TrackedStarts::new(Arc::new(Slow(Arc::default())));
        let started = starts.start_export(bundle(), OutputFormat::Yaml);
        assert!(started.now_or_never().is_none());
        assert!(starts.settle(Duration::from_millis(1)).await.is_empty());
    }
}
