//! Everything that is not an item's archive: lists, documents, photos, logos, certificates, comments.
//!
//! A set of tasks, some of which make further ones: a list leads to its objects, an object to its files. Each task awaits and
//! changes nothing; what it fetched is entered into the ledger between awaits.

mod checks;
mod comments;
mod enter;
mod files;
mod perform;
mod task;

pub(crate) use checks::{check_selection, nothing_at_all};
pub(crate) use task::{Task, resource_of};

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use self::enter::enter;
use self::perform::perform;
use self::task::Found;
use super::Limits;
use super::context::RunError;
use super::fetch::Fetch;
use super::ledger::Ledger;

/// Runs tasks, and the tasks that follow from them, a few at a time.
pub(crate) async fn survey(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    tasks: Vec<Task>,
) -> Result<(), RunError> {
    let mut tasks = tasks;
    while !tasks.is_empty() {
        tasks = survey_once(fetch, ledger, tasks).await?;
    }
    Ok(())
}

/// Runs tasks, and gives back those that follow from them.
pub(crate) async fn survey_once(
    fetch: Fetch<'_>,
    ledger: &mut Ledger,
    tasks: Vec<Task>,
) -> Result<Vec<Task>, RunError> {
    let mut following = Vec::new();
    let mut waiting: VecDeque<Task> = tasks.into();
    let mut under_way: FuturesUnordered<BoxFuture<'_, Result<Found, RunError>>> =
        FuturesUnordered::new();
    loop {
        while under_way.len() < Limits::DOCUMENTS_AT_ONCE
            && let Some(task) = waiting.pop_front()
        {
            under_way.push(Box::pin(perform(fetch, task)));
        }
        let Some(found) = under_way.next().await else {
            return Ok(following);
        };
        following.extend(enter(fetch, ledger, found?));
    }
}
