//! The comments of workspaces and of their shared templates: which there are to ask for.

use super::task::{Task, Thread};
use crate::bag::layout;
use crate::model::{BagPath, Facts, ObjectFacts, ObjectId, Section};
use crate::ports::ApiError;
use crate::workflow::ledger::Ledger;

pub(super) fn enter_workspaces(ledger: &mut Ledger, facts: Facts) -> Vec<Task> {
    ledger.book(Section::WorkspaceComments).listed = true;
    let mut tasks = Vec::new();
    for workspace in facts.objects {
        let ids = |facts: &ObjectFacts| {
            Some((
                ObjectId::try_from(facts.org?).ok()?,
                ObjectId::try_from(facts.id?).ok()?,
            ))
        };
        let Some((org, id)) = ids(&workspace) else {
            let nameless = workspace.name.as_deref().unwrap_or("without a name");
            refuse_unaddressed(ledger, &format!("the workspace `{nameless}`"));
            continue;
        };
        let name = workspace.name.as_deref().unwrap_or_default();
        let folder = layout::object_folder(Section::WorkspaceComments, id, name);
        tasks.push(Task::Comments(Thread {
            org,
            workspace: id,
            template: None,
            folder: folder.clone(),
        }));
        tasks.push(Task::Templates {
            org,
            workspace: id,
            folder,
        });
    }
    tasks
}

/// Notes that comments are missing because their workspace or template has no id to ask with.
fn refuse_unaddressed(ledger: &mut Ledger, what: &str) {
    let error = ApiError::Unreadable {
        request: "the comments".to_owned(),
        detail: format!("{what} is listed without a valid id, so they cannot be asked for"),
    };
    ledger.refuse(Section::WorkspaceComments, error, 1);
}

pub(super) fn threads(
    ledger: &mut Ledger,
    org: ObjectId,
    workspace: ObjectId,
    folder: &BagPath,
    facts: Facts,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for template in facts.objects {
        let name = template.name.unwrap_or_default();
        let Some(id) = template.id.and_then(|id| ObjectId::try_from(id).ok()) else {
            refuse_unaddressed(ledger, &format!("the shared template `{name}`"));
            continue;
        };
        tasks.push(Task::Comments(Thread {
            org,
            workspace,
            template: Some((id, name)),
            folder: folder.clone(),
        }));
    }
    tasks
}
