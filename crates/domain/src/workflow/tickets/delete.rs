//! Deletes tickets on the platform, several at once.

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::model::{Section, Ticket};
use crate::ports::{ApiError, Event, Fact, Journal, JournalError, UserDataApi};
use crate::report::{Failure, Stage};
use crate::workflow::attempt::attempt;
use crate::workflow::context::Ports;

const AT_ONCE: usize = 8;

/// Stops an export and deletes its ticket, in one attempt. A platform may refuse to delete an export that is running; for one that has ended
/// the stop does nothing.
pub async fn stop_and_delete(api: &dyn UserDataApi, ticket: Ticket) -> Result<(), ApiError> {
    let _ = api.cancel_export(ticket).await;
    api.delete_export(ticket).await
}

/// Deletes tickets, whose exports may still be running before the bag is finished. Returns those that are left, each with the reason. Each deletion is recorded at once, so that a run that is
/// killed does not repeat it; `journal` is `None` once the bag is finished.
pub(super) async fn delete_all(
    ports: Ports<'_>,
    journal: Option<&dyn Journal>,
    tickets: Vec<Ticket>,
) -> Result<Vec<(Ticket, ApiError)>, JournalError> {
    let mut left = Vec::new();
    let mut answers = stream::iter(tickets.into_iter().map(|ticket| async move {
        let what = format!("delete {ticket}");
        let answer = attempt(ports, 0, &what, || async move {
            match journal {
                Some(_) => stop_and_delete(ports.api, ticket).await,
                None => ports.api.delete_export(ticket).await,
            }
        })
        .await;
        (ticket, answer)
    }))
    .buffer_unordered(AT_ONCE);
    while let Some((ticket, answer)) = answers.next().await {
        match answer {
            Ok(()) => {
                if let Some(journal) = journal {
                    journal.record(Fact::Gone { ticket }).await?;
                }
                ports.progress.on(&Event::TicketDeleted { ticket });
            }
            Err(failed) => left.push((ticket, failed.error)),
        }
    }
    Ok(left)
}

/// Deletes tickets whose archives became durable with the finished bag. Returns a failure for each that is left.
///
/// Nothing is recorded: the journal belongs to an unfinished run, and this one has its bag. A kill in here leaves the other
/// tickets on the platform; all data are safe by then.
pub(crate) async fn delete_after_finish(ports: Ports<'_>, tickets: Vec<Ticket>) -> Vec<Failure> {
    let left = delete_all(ports, None, tickets).await;
    let left = left.unwrap_or_default().into_iter();
    left.map(|(ticket, error)| undeleted(ticket, &error))
        .collect()
}

/// A ticket that stays on the platform although the data is safe.
pub(crate) fn undeleted(ticket: Ticket, error: &ApiError) -> Failure {
    Failure {
        section: Section::of_items(ticket.item.kind),
        id: Some(ticket.item.id.get()),
        name: None,
        stage: Stage::Delete,
        http_status: error.http_status(),
        message: format!(
            "export ticket {} could not be deleted and is left on the platform: {error}",
            ticket.id
        ),
        attempts: 1,
    }
}
