//! One task: its requests, and their answers as a value.

use super::files::{file_path, in_words, owner_of};
use super::task::{Found, Task, Thread, list_of};
use crate::bag::layout;
use crate::model::{Facts, ListResource, Page, Resource, Section};
use crate::workflow::attempt::{Failed, settle};
use crate::workflow::context::RunError;
use crate::workflow::fetch::{Fetch, Fetched};

pub(super) async fn perform(fetch: Fetch<'_>, task: Task) -> Result<Found, RunError> {
    match task {
        Task::Section(section) => section_list(fetch, section).await,
        Task::Object(place, resource, folder) => {
            let path = |form| layout::object_document(&folder, place.section, form);
            let answer = settle(fetch.document(place.section, resource, path).await)?;
            Ok(Found::Object(place, folder, answer))
        }
        Task::File(place, binary, facts, folder) => {
            let path = |ending: &str| file_path(&folder, binary, &facts, ending);
            let what = format!("{} of {}", in_words(&facts), owner_of(binary));
            let answer = fetch.file(place.section, binary, &what, &facts, path).await;
            Ok(Found::File(place, in_words(&facts), settle(answer)?))
        }
        Task::WorkspacesForComments => {
            // The list itself is kept by the section `workspaces`, where that is wanted.
            let resource = Resource::List(ListResource::Workspaces, Page::Whole);
            let answer = settle(fetch.unkept(resource).await)?;
            Ok(Found::Workspaces(facts_of_list(answer)))
        }
        Task::Templates {
            org,
            workspace,
            folder,
        } => {
            let resource = Resource::WorkspaceTemplates { org, workspace };
            let answer = settle(fetch.unkept(resource).await)?;
            Ok(Found::Templates {
                org,
                workspace,
                folder,
                found: facts_of_list(answer),
            })
        }
        Task::Comments(thread) => comments(fetch, thread).await,
    }
}

async fn comments(fetch: Fetch<'_>, thread: Thread) -> Result<Found, RunError> {
    let template = thread
        .template
        .as_ref()
        .map(|(id, name)| (*id, name.as_str()));
    let path = |page, form| layout::comments(&thread.folder, template, page, form);
    let answer = fetch
        .list(
            Section::WorkspaceComments,
            |page| thread.resource(page),
            path,
        )
        .await;
    let resource = thread.resource(Page::Whole);
    Ok(Found::Comments(resource, settle(answer)?))
}

async fn section_list(fetch: Fetch<'_>, section: Section) -> Result<Found, RunError> {
    let path = |page, form| layout::list_document(section, page, form);
    let Some(list) = list_of(section) else {
        let answer = fetch
            .document(section, Resource::User, |form| path(1, form))
            .await;
        return Ok(Found::Profile(settle(answer)?));
    };
    let answer = fetch
        .list(section, |page| Resource::List(list, page), path)
        .await;
    Ok(Found::List(
        section,
        Resource::List(list, Page::Whole),
        settle(answer)?,
    ))
}

/// The facts of a list that is read for its ids only.
fn facts_of_list(answer: Result<Fetched, Failed>) -> Result<Facts, Failed> {
    match answer {
        Ok(fetched) => Ok(fetched.facts),
        Err(failed) if failed.is_without_content() => Ok(Facts::default()),
        Err(failed) => Err(failed),
    }
}
